#define _GNU_SOURCE
#include "allowed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountapi.h"
#include "report.h"

struct held {
  char *path;
  int tree;
};

/* Configuration: filled once while the jail is built. */
static struct list sockets;

void allowed_open(const struct list *paths) {
  for (size_t i = 0; i < paths->count; i++) {
    struct stat about;
    char *real = realpath(paths->items[i], NULL);
    /* A daemon that does not run now is no reason to refuse the run. */
    if (!real || lstat(real, &about) < 0 || !S_ISSOCK(about.st_mode)) continue;
    struct held *held = allocate(sizeof *held);
    *held = (struct held){real, tree_clone(real, false)};
    if (held->tree < 0) fail("allow-socket", real);
    list_add(&sockets, held);
  }
}

bool is_allowed(const char *real) {
  for (size_t i = 0; i < sockets.count; i++)
    if (strcmp(((struct held *)sockets.items[i])->path, real) == 0) return true;
  return false;
}

static void make_folders(const char *path) {
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    char *folder = copy_text(path);
    folder[slash - path] = 0;
    if (mkdir(folder, 0755) < 0 && errno != EEXIST) fail("allow-socket", folder);
  }
}

void allowed_restore(void) {
  for (size_t i = 0; i < sockets.count; i++) {
    const struct held *held = sockets.items[i];
    struct stat about;
    if (lstat(held->path, &about) == 0 && S_ISSOCK(about.st_mode)) continue;
    make_folders(held->path);
    int fd = open(held->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) fail("allow-socket", held->path);
    close(fd);
    if (tree_attach(held->tree, held->path) < 0) fail("allow-socket", held->path);
  }
}
