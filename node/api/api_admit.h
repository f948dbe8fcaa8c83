/* api_admit: what a request must be before its handler sees it.  Each replies
 * with an error when it is not. */
#ifndef POT_NODE_API_API_ADMIT_H
#define POT_NODE_API_API_ADMIT_H

struct api_request;

/* api_admit_head: its headers came: finds its route. */
void api_admit_head(struct api_request *request, const char *method);

/* api_admit_body: all of it came. */
void api_admit_body(struct api_request *request);

#endif
