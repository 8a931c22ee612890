/* Small things everything needs: growing lists, whole reads and writes, what a socket is, path arithmetic. */
#ifndef GATE_UTIL_H
#define GATE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* `items` always ends with a NULL that is not counted, so a list can be an argv. */
struct list {
  void **items;
  size_t count;
};

void list_add(struct list *list, void *item);
bool list_has(const struct list *list, const char *text);
void *allocate(size_t size);
char *copy_text(const char *text);
/* printf into new memory. */
char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* All of it, or -1 with errno. An early end of file is EPIPE. */
int read_all(int fd, void *data, size_t size);
int write_all(int fd, const void *data, size_t size);
/* A whole small file (such as those of /proc) as text, or NULL with errno. */
char *read_file(const char *path);
int write_file(const char *path, const char *text);

/* A whole number of SOL_SOCKET, or -1 with errno. */
int socket_option(int fd, int name);

/* Whether `path` is `folder` or lies below it; both absolute, without trailing slashes. */
bool under(const char *path, const char *folder);
/* `folder` + "/" + `name`, without doubling the slash of the root. */
char *join(const char *folder, const char *name);
char *parent_of(const char *path);

#endif
