/* api_table: the table of everything the API answers. */
#ifndef POT_NODE_API_API_TABLE_H
#define POT_NODE_API_API_TABLE_H

struct api_request;

/* api_table_find: fills request's route and args from its path.
 *
 * Out: allow  "GET, HEAD" and so on, of all routes with this path; "" none */
void api_table_find(struct api_request *request, const char *method,
                    char allow[static 64]);

#endif
