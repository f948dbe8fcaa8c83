/* model: how an MLP's parameters lie in memory.
 *
 * Parameters are one array; layer l (from 0) holds its weight, row-major
 * (widths[l + 1], widths[l]), then its bias (widths[l + 1]).  Gradients,
 * momentum and aggregates lie the same way.  A tensor is one weight or one
 * bias: tensor 2l and 2l + 1 of layer l. */
#ifndef POT_PROTO_MODEL_H
#define POT_PROTO_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "proto/chain.pb-c.h"

#define TENSORS_MAX (2 * (LAYERS_MAX - 1))

struct tensor_span {
    size_t offset; /* of its first element in the array */
    size_t count;
};

struct model_shape {
    uint32_t widths[LAYERS_MAX];
    size_t width_count;  /* 2 <= width_count <= LAYERS_MAX */
    size_t layer_count;  /* width_count - 1 */
    size_t tensor_count; /* 2 * layer_count */
    struct tensor_span tensors[TENSORS_MAX];
    size_t parameter_count; /* <= PARAMETERS_MAX */
};

/* model_shape_init: Errors: POT_ESHAPE fewer than two widths, or a zero one;
 * POT_ELIMIT a width, their number or the parameters go over the limits. */
POT_MUST_USE enum pot_err model_shape_init(struct model_shape *shape,
                                           const uint32_t *widths,
                                           size_t width_count);

/* model_shape_from_spec: the same from a task's model. */
POT_MUST_USE enum pot_err model_shape_from_spec(struct model_shape *shape,
                                                const Pot__ModelSpec *spec);

/* Whether data suits a model: its inputs are the features, its outputs the
 * classes (one, when the labels are numbers), and its loss is for such
 * labels. */
enum model_fit {
    MODEL_FITS,
    MODEL_INPUTS,
    MODEL_OUTPUTS,
    MODEL_LOSS, /* labels are numbers, and the loss is for classes */
};

/* model_fits: the first that does not suit; classes 0: labels are numbers. */
enum model_fit model_fits(const struct model_shape *shape, Pot__Loss loss,
                          uint32_t features, uint32_t classes);

#endif
