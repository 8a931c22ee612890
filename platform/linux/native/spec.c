#define _GNU_SOURCE
#include "spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { SPEC_LIMIT = 1 << 30 };

/* One directive on the wire: letter, 32-bit little-endian length, that many bytes, a NUL. */
struct directive {
  char letter;
  const char *data;
  size_t size;
};

static _Noreturn void malformed(const char *what) {
  errno = EPROTO;
  fail("spec", what);
}

static uint32_t little_endian(const unsigned char *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static struct jail_file *last_file(struct place *place) {
  if (!place || place->files.count == 0) malformed("file data without a file");
  return place->files.items[place->files.count - 1];
}

static struct place *add_place(struct list *list, const char *path) {
  struct place *place = allocate(sizeof *place);
  place->path = path;
  list_add(list, place);
  return place;
}

static void add_file(struct place *place, const char *name) {
  if (!place) malformed("a file without a folder");
  struct jail_file *file = allocate(sizeof *file);
  file->name = name;
  file->mode = 0444;
  list_add(&place->files, file);
}

static void set_data(struct place *place, const struct directive *directive) {
  struct jail_file *file = last_file(place);
  file->data = directive->data;
  file->size = directive->size;
}

static void apply(struct spec *spec, const struct directive *directive, struct place **place) {
  char *text = (char *)(uintptr_t)directive->data;
  switch (directive->letter) {
    case 'C': list_add(&spec->argv, text); return;
    case 'E': list_add(&spec->env, text); return;
    case 'W': spec->cwd = text; return;
    case 'H': spec->home = text; return;
    case 'P': list_add(&spec->capture_ports, text); return;
    case 'L': list_add(&spec->loopback_ports, text); return;
    case 'X': spec->proxy_port = text; return;
    case 'R': list_add(&spec->read_only, text); return;
    case 'V': *place = add_place(&spec->covers, text); return;
    case 'O': *place = add_place(&spec->overlays, text); return;
    case 'S':
      *place = add_place(&spec->replaced, text);
      add_file(*place, "content");
      return;
    case 'F': add_file(*place, text); return;
    case 'M': last_file(*place)->mode = (mode_t)strtoul(text, NULL, 8) & 0777; return;
    case 'D': set_data(*place, directive); return;
    case 'A': list_add(&spec->allowed, text); return;
    case 'N': spec->nested = text[0] == '1'; return;
    default: malformed("an unknown directive");
  }
}

static void parse(struct spec *spec, const unsigned char *bytes, size_t size) {
  struct place *place = NULL;
  for (size_t at = 0; at < size;) {
    if (size - at < 6) malformed("a directive cut short");
    struct directive directive = {(char)bytes[at], (const char *)bytes + at + 5, little_endian(bytes + at + 1)};
    if (directive.size > size - at - 6) malformed("a directive cut short");
    if (directive.data[directive.size] != 0) malformed("a directive without its end");
    apply(spec, &directive, &place);
    at += directive.size + 6;
  }
}

void spec_read(int fd, struct spec *spec) {
  unsigned char head[4];
  if (read_all(fd, head, sizeof head) < 0) fail("spec", "reading");
  uint32_t size = little_endian(head);
  if (size > SPEC_LIMIT) malformed("too big");
  unsigned char *bytes = allocate(size);
  if (read_all(fd, bytes, size) < 0) fail("spec", "reading");
  parse(spec, bytes, size);
  if (spec->argv.count == 0 || !spec->cwd || !spec->home || !spec->proxy_port) malformed("something is missing");
  if (!spec->env.items) {
    list_add(&spec->env, NULL);
    spec->env.count = 0;
  }
}

long port_of(const char *text) {
  char *end = NULL;
  long port = strtol(text, &end, 10);
  if (end == text || *end != 0 || port < 1 || port > 65535) malformed("a bad port");
  return port;
}

const char *spec_env(const struct spec *spec, const char *name) {
  size_t length = strlen(name);
  for (size_t i = 0; i < spec->env.count; i++) {
    const char *entry = spec->env.items[i];
    if (strncmp(entry, name, length) == 0 && entry[length] == '=') return entry + length + 1;
  }
  return NULL;
}
