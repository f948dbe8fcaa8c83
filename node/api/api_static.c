/* Web pages: regular files under the folder that [api] web names.  Hidden
 * files, ".." and links that lead out of the folder do not exist here. */
#include "config.h"

#include "base/file.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (16 << 20)

static const char *type_of(const char *path)
{
    static const struct {
        const char *ending;
        const char *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".txt", "text/plain; charset=utf-8"},
    };
    size_t size = strlen(path);
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        size_t ending = strlen(types[i].ending);
        if (size > ending &&
            strcmp(path + size - ending, types[i].ending) == 0) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

/* The file's real path; NULL when it is not there, or elsewhere.  free(). */
static char *resolve(const char *web, const char *name)
{
    char *folder = realpath(web, NULL);
    char *joined = file_join(web, name);
    char *path = realpath(joined, NULL);
    free(joined);
    if (folder == NULL || path == NULL ||
        strncmp(path, folder, strlen(folder)) != 0 ||
        path[strlen(folder)] != '/') {
        free(path);
        path = NULL;
    }
    free(folder);
    return path;
}

static int open_file(const char *path, size_t *size)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) ||
                    info.st_size > FILE_BYTES_MAX)) {
        (void)close(fd);
        return -1;
    }
    if (fd >= 0) {
        *size = (size_t)info.st_size;
    }
    return fd;
}

static void get_static(struct api_request *request)
{
    size_t size = 0;
    int fd = -1;
    const char *name = request->url.path + 1;
    name = *name == '\0' ? "index.html" : name;
    if (api_path_is_safe(name)) {
        char *path = resolve(request->config->web, name);
        if (path != NULL) {
            fd = open_file(path, &size);
        }
        free(path);
    }
    struct MHD_Response *response =
        fd >= 0 ? MHD_create_response_from_fd(size, fd) : NULL;
    if (response == NULL) {
        api_reply_error(request, 404, "not_found", "there is nothing at %s",
                        request->url.path);
        return;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  type_of(name));
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                                  "no-cache");
    api_reply_response(request, 200, response);
}

const struct api_route api_static_route = {
    "GET",
    "",
    .summary = "web pages",
    .status = 200,
    .is_off_loop = true,
    .handler = get_static,
};
