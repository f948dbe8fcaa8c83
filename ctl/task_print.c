#include "config.h"

#include "ctl/task_print.h"

#include "ctl/client.h"
#include "ctl/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void task_print(const struct ctl *ctl, const json_t *task)
{
    show_text("task", task, "task");
    show_text("name", task, "name");
    (void)printf("%-16s  %s\n", "status",
                 show_status(ctl, client_text(task, "status")));
    show_text("reason", task, "reason");
    show_text("numerics", task, "numerics");
    show_field("round", "%" PRIu64 " of %" PRIu64, client_count(task, "round"),
               client_count(task, "rounds"));
    if (strcmp(client_text(task, "status"), "running") == 0) {
        show_field("miners", "%" PRIu64 " joined, %" PRIu64 " needed",
                   client_count(task, "members"),
                   client_count(task, "min_submissions"));
    }
    if (json_number_value(json_object_get(task, "plant_rate")) > 0) {
        show_number("plant rate", task, "plant_rate");
    }
    show_number("train loss", task, "train_loss");
    show_number("test loss", task, "test_loss");
    show_number("test accuracy", task, "test_accuracy");
    show_text("parameters", task, "parameters_hash");
    show_count("submissions", task, "submissions");
    show_count("rejected", task, "rejected");
    show_units("paid", task, "paid");
    show_units("escrow left", task, "escrow_left");
    show_count("started at", task, "started_height");
    show_count("ended at", task, "ended_height");
}
