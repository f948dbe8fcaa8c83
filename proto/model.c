#include "config.h"

#include "proto/model.h"

static void add_tensor(struct model_shape *shape, size_t count)
{
    shape->tensors[shape->tensor_count++] = (struct tensor_span){
        .offset = shape->parameter_count,
        .count = count,
    };
    shape->parameter_count += count;
}

enum pot_err model_shape_init(struct model_shape *shape, const uint32_t *widths,
                              size_t width_count)
{
    struct model_shape made = {.width_count = width_count};
    if (width_count < 2) {
        return POT_ESHAPE;
    }
    if (width_count > LAYERS_MAX) {
        return POT_ELIMIT;
    }
    for (size_t i = 0; i < width_count; i++) {
        if (widths[i] == 0) {
            return POT_ESHAPE;
        }
        if (widths[i] > LAYER_WIDTH_MAX) {
            return POT_ELIMIT;
        }
        made.widths[i] = widths[i];
    }
    made.layer_count = width_count - 1;
    for (size_t l = 0; l < made.layer_count; l++) {
        add_tensor(&made, (size_t)widths[l] * widths[l + 1]);
        add_tensor(&made, widths[l + 1]);
    }
    if (made.parameter_count > PARAMETERS_MAX) {
        return POT_ELIMIT;
    }
    *shape = made;
    return POT_OK;
}

enum pot_err model_shape_from_spec(struct model_shape *shape,
                                   const Pot__ModelSpec *spec)
{
    return model_shape_init(shape, spec->layers, spec->n_layers);
}

enum model_fit model_fits(const struct model_shape *shape, Pot__Loss loss,
                          uint32_t features, uint32_t classes)
{
    uint32_t outputs = shape->widths[shape->width_count - 1];
    if (shape->widths[0] != features) {
        return MODEL_INPUTS;
    }
    if (outputs != (classes > 0 ? classes : 1)) {
        return MODEL_OUTPUTS;
    }
    return classes > 0 || loss == POT__LOSS__LOSS_MSE ? MODEL_FITS : MODEL_LOSS;
}
