#define _GNU_SOURCE
#include "filter.h"

#include <errno.h>
#include <linux/seccomp.h>

#include "report.h"

void filter_add(struct filter *filter, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf) {
  errno = E2BIG;
  if (filter->size == FILTER_LIMIT) fail("seccomp", "program");
  filter->code[filter->size++] = (struct sock_filter){code, jt, jf, k};
}

void filter_return(struct filter *filter, uint32_t verdict) { filter_add(filter, BPF_RET | BPF_K, verdict, 0, 0); }

static void return_error(struct filter *filter, int error) {
  filter_return(filter, SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA));
}

void filter_load_number(struct filter *filter) {
  filter_add(filter, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
}

void filter_deny(struct filter *filter, long number, int error) {
  filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
  return_error(filter, error);
}

/* Jumps over a block: of 8 bits at most, which no block here reaches. */
static void patch(struct filter *filter, size_t at) {
  size_t distance = filter->size - at - 1;
  errno = E2BIG;
  if (distance > UINT8_MAX) fail("seccomp", "jump");
  filter->code[at].jf = (uint8_t)distance;
}

size_t filter_begin(struct filter *filter, long number) {
  filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 0);
  return filter->size - 1;
}

void filter_end(struct filter *filter, size_t block) {
  filter_return(filter, SECCOMP_RET_ALLOW);
  patch(filter, block);
}

void filter_argument(struct filter *filter, unsigned index, uint32_t mask) {
  uint32_t low = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;
  filter_add(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, args) + 8 * index + low, 0, 0);
  if (mask != UINT32_MAX) filter_add(filter, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
}

void filter_deny_equal(struct filter *filter, uint32_t value, int error) {
  filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
  return_error(filter, error);
}

void filter_deny_bits(struct filter *filter, uint32_t bits, int error) {
  filter_add(filter, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
  return_error(filter, error);
}

void filter_deny_unless(struct filter *filter, const uint32_t *values, size_t count, int error) {
  for (size_t i = 0; i < count; i++)
    filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, values[i], (uint8_t)(count - i), 0);
  return_error(filter, error);
}

size_t filter_only_if(struct filter *filter, uint32_t a, uint32_t b) {
  filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, a, 1, 0);
  filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, b, 0, 0);
  return filter->size - 1;
}

void filter_skip_end(struct filter *filter, size_t block) { patch(filter, block); }
