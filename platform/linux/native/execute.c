/* Finds and executes a command as a shell does. */
#define _GNU_SOURCE
#include "execute.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

enum { LOOKED_AT = 256 };

/* ENOENT of a file that exists: its interpreter is missing. EACCES of a folder: say so. */
static int reason(const char *path, int error) {
  struct stat about;
  if (stat(path, &about) < 0) return error;
  if (S_ISDIR(about.st_mode)) return EISDIR;
  return error == ENOENT ? ELIBBAD : error;
}

static bool looks_binary(const char *path) {
  char start[LOOKED_AT];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return true;
  ssize_t size = read(fd, start, sizeof start);
  close(fd);
  if (size < 0) return true;
  const char *line_end = memchr(start, '\n', (size_t)size);
  size_t first_line = line_end ? (size_t)(line_end - start) : (size_t)size;
  return memchr(start, 0, first_line) != NULL;
}

/* Text without #! is a script of the shell, as POSIX has shells do. */
static void as_shell_script(const struct spec *spec, const char *path) {
  if (looks_binary(path)) {
    errno = ENOEXEC;
    return;
  }
  struct list argv = {0};
  list_add(&argv, "/bin/sh");
  list_add(&argv, (void *)(uintptr_t)path);
  for (size_t i = 1; i < spec->argv.count; i++) list_add(&argv, spec->argv.items[i]);
  execve("/bin/sh", (char **)argv.items, (char **)spec->env.items);
}

/* Returns the reason why not. */
static int try_path(const struct spec *spec, const char *path) {
  execve(path, (char **)spec->argv.items, (char **)spec->env.items);
  if (errno == ENOEXEC) as_shell_script(spec, path);
  return reason(path, errno);
}

static _Noreturn void not_executed(int error, const char *path) {
  say("exec %d %s", error, path);
  _exit(EXIT_FAILED);
}

static _Noreturn void search(const struct spec *spec, const char *name) {
  const char *found = spec_env(spec, "PATH");
  char *rest = copy_text(found ? found : "/usr/local/bin:/usr/bin:/bin");
  int error = ENOENT;
  const char *best = name;
  for (char *folder = strsep(&rest, ":"); folder; folder = strsep(&rest, ":")) {
    /* An empty entry is the working directory. */
    char *path = *folder ? join(folder, name) : text_of("./%s", name);
    int problem = try_path(spec, path);
    struct stat about;
    /* Not there, a folder, or in a folder that cannot be searched: as if this entry were not in PATH. */
    if (problem == EISDIR || stat(path, &about) < 0 || error != ENOENT) continue;
    /* Found, but not executable: another folder may still have one that is. */
    error = problem;
    best = path;
  }
  not_executed(error, best);
}

_Noreturn void execute(const struct spec *spec) {
  const char *name = spec->argv.items[0];
  if (!*name) not_executed(ENOENT, "");
  if (!strchr(name, '/')) search(spec, name);
  not_executed(try_path(spec, name), name);
}
