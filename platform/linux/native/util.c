#define _GNU_SOURCE
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"

void *allocate(size_t size) {
  void *memory = calloc(1, size ? size : 1);
  if (!memory) fail("memory", "");
  return memory;
}

char *copy_text(const char *text) {
  char *copy = allocate(strlen(text) + 1);
  memcpy(copy, text, strlen(text));
  return copy;
}

char *text_of(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = NULL;
  if (vasprintf(&text, format, arguments) < 0) fail("memory", "");
  va_end(arguments);
  return text;
}

void list_add(struct list *list, void *item) {
  /* Grown at powers of two; one more slot for the closing NULL. */
  if ((list->count & (list->count + 1)) == 0) {
    size_t slots = (list->count + 1) * 2 + 1;
    void **bigger = realloc(list->items, slots * sizeof *bigger);
    if (!bigger) fail("memory", "");
    list->items = bigger;
  }
  list->items[list->count++] = item;
  list->items[list->count] = NULL;
}

bool list_has(const struct list *list, const char *text) {
  for (size_t i = 0; i < list->count; i++)
    if (strcmp(list->items[i], text) == 0) return true;
  return false;
}

int read_all(int fd, void *data, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t n = read(fd, (char *)data + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) {
      errno = EPIPE;
      return -1;
    }
    done += (size_t)n;
  }
  return 0;
}

int write_all(int fd, const void *data, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t n = write(fd, (const char *)data + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    done += (size_t)n;
  }
  return 0;
}

char *read_file(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  size_t size = 0, room = 1 << 16;
  char *text = allocate(room + 1);
  for (;;) {
    ssize_t n = read(fd, text + size, room - size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    size += (size_t)n;
    if (size < room) continue;
    room *= 2;
    text = realloc(text, room + 1);
    if (!text) fail("memory", "");
  }
  text[size] = 0;
  close(fd);
  return text;
}

int write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = write_all(fd, text, strlen(text));
  int problem = errno;
  close(fd);
  errno = problem;
  return result;
}

int socket_option(int fd, int name) {
  int value = -1;
  socklen_t room = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &room) < 0 ? -1 : value;
}

bool under(const char *path, const char *folder) {
  size_t length = strlen(folder);
  if (length == 1) return path[0] == '/';
  return strncmp(path, folder, length) == 0 && (path[length] == 0 || path[length] == '/');
}

char *join(const char *folder, const char *name) {
  return text_of("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
}

char *parent_of(const char *path) {
  char *parent = copy_text(path);
  char *slash = strrchr(parent, '/');
  if (!slash || slash == parent) return copy_text("/");
  *slash = 0;
  return parent;
}
