/* safetensors: a task's parameters as a .safetensors file of float32.
 *
 *   u64  size of the header, little-endian
 *   ...  the header, JSON padded with spaces to a multiple of 8: for each
 *        tensor its dtype, shape and place; "__metadata__" with texts
 *   ...  the tensors, little-endian
 *
 * Source: the format's description, github.com/huggingface/safetensors.
 * Tensors are named as PyTorch's nn.ModuleList of Linear named "layers" would
 * name them: layers.0.weight (outputs, inputs), layers.0.bias (outputs). */
#ifndef POT_CTL_SAFETENSORS_H
#define POT_CTL_SAFETENSORS_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/model.h"

/* safetensors_append: the file's bytes to out.
 *
 * In:     theta: int32 Q8.24 little-endian, shape->parameter_count of them
 *         metadata: an object of texts, borrowed
 * Errors: POT_ESHAPE size is not that of the shape */
POT_MUST_USE enum pot_err safetensors_append(struct buf *out,
                                             const struct model_shape *shape,
                                             const void *theta, size_t size,
                                             json_t *metadata);

#endif
