/* api_document: a table of routes as a document. */
#ifndef POT_NODE_API_API_DOCUMENT_H
#define POT_NODE_API_API_DOCUMENT_H

#include <jansson.h>

#include "base/buf.h"

struct api_route;

/* In: files  the routes of each file, each ended by a row without a method;
 *            NULL: no more */

/* api_document_openapi: for machines: OpenAPI 3.0. */
json_t *api_document_openapi(const struct api_route *const *files);

/* api_document_index: for people: a page of HTML. */
void api_document_index(struct buf *out, const struct api_route *const *files);

#endif
