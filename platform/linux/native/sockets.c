#define _GNU_SOURCE
#include "sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report.h"

/* "Num RefCount Protocol Flags Type St Inode Path": everything bound to a path, listening or datagram. */
static void from_table(struct list *found, const char *table) {
  char *rest = copy_text(table);
  for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
    char *path = strchr(line, '/');
    /* Abstract names ("@…") belong to the network namespace and are gone. */
    if (path && path > line && path[-1] == ' ') list_add(found, path);
  }
}

/* Addresses such as unix:path=/run/x,guid=… or /tmp/tmux-0/default,12,0 in variables. */
static void from_value(struct list *found, const char *value) {
  for (const char *at = value; (at = strchr(at, '/'));) {
    while (at[1] == '/') at++;
    size_t size = strcspn(at, ",:;\" ");
    char *path = copy_text(at);
    path[size] = 0;
    struct stat about;
    if (stat(path, &about) == 0 && S_ISSOCK(about.st_mode)) list_add(found, path);
    at += size;
  }
}

struct search {
  struct list *found; /* NULL: the first one is enough */
  long budget;
  bool any;
};

static void search_folder(struct search *search, const char *path, int depth) {
  DIR *folder = opendir(path);
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (--search->budget < 0 || (search->any && !search->found)) break;
    const char *name = entry->d_name;
    unsigned char type = entry->d_type;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "node_modules") == 0) continue;
    struct stat about;
    if (type == DT_UNKNOWN && fstatat(dirfd(folder), name, &about, AT_SYMLINK_NOFOLLOW) == 0)
      type = S_ISSOCK(about.st_mode) ? DT_SOCK : S_ISDIR(about.st_mode) ? DT_DIR : DT_REG;
    if (type == DT_SOCK) {
      search->any = true;
      if (search->found) list_add(search->found, join(path, name));
    }
    if (type == DT_DIR && depth > 0) search_folder(search, join(path, name), depth - 1);
  }
  closedir(folder);
}

bool has_socket(const char *folder, int depth) {
  struct search search = {NULL, 20000, false};
  search_folder(&search, folder, depth);
  return search.any;
}

static void from_folder(struct list *found, const char *path, int depth) {
  struct search search = {found, 20000, false};
  search_folder(&search, path, depth);
}

static void from_home(struct list *found, const char *home) {
  const char *places[] = {".docker", ".colima",  ".lima", ".rd",      ".orbstack", ".gnupg",  ".ssh",
                          ".1password", ".emacs.d", ".cache", ".config", ".local/share/containers", ".local/state",
                          ".vscode-server", ".cursor-server", ".multipass", ".minikube", ".local/share/lima"};
  from_folder(found, home, 0);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) from_folder(found, join(home, places[i]), 3);
}

struct list sockets_find(const struct spec *spec, const char *unix_table) {
  struct list found = {0};
  from_table(&found, unix_table);
  for (size_t i = 0; i < spec->env.count; i++) from_value(&found, spec->env.items[i]);
  from_folder(&found, "/tmp", 2);
  from_folder(&found, "/var/tmp", 2);
  from_folder(&found, "/var/lib", 2);
  from_folder(&found, "/var/spool", 3);
  from_home(&found, spec->home);
  from_folder(&found, spec->cwd, 2);
  return found;
}
