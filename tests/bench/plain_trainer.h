/* plain_trainer: a multi-layer perceptron trained as a C programmer would
 * train one with OpenBLAS: float data, whole batches, biases, ReLU, softmax
 * cross-entropy, stochastic gradient descent.  For comparison: it shares no
 * code with training/. */
#ifndef POT_TESTS_BENCH_PLAIN_TRAINER_H
#define POT_TESTS_BENCH_PLAIN_TRAINER_H

#include <stddef.h>
#include <stdint.h>

struct model_shape;   /* proto/model.h */
struct plain_trainer; /* one: tests/bench/plain_trainer.c */

/* plain_trainer_new: with data_rows random rows to train on, in batches of at
 * most batch_rows.  plain_trainer_free: NULL is fine. */
struct plain_trainer *plain_trainer_new(const struct model_shape *shape,
                                        size_t data_rows, size_t batch_rows);
void plain_trainer_free(struct plain_trainer *t);

/* plain_trainer_step: forward, loss, backward and update with count of the
 * data's rows; returns the mean loss. */
float plain_trainer_step(struct plain_trainer *t, const uint64_t *rows,
                         size_t count);

#endif
