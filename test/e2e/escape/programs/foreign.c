/* System calls of other ABIs, which a filter written for x86-64 alone does not see. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
#include <sys/syscall.h>

static long int80(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
    return (int)result;
}

static int verdict(long result, long error) {
    if (result >= 0) printf("PROBE escaped returned %ld\n", result);
    else if (error == ENOSYS) printf("PROBE unable ENOSYS\n");
    else printf("PROBE refused errno %ld\n", error);
    return 0;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    long result = -1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("PROBE start\n");
    if (!strcmp(what, "int80-getpid")) return result = int80(20, 0, 0, 0), verdict(result, -result);
    if (!strcmp(what, "int80-vsock")) return result = int80(359, 40, 1, 0), verdict(result, -result);
    if (!strcmp(what, "int80-unshare")) return result = int80(310, 0x40000000 | 0x10000000, 0, 0), verdict(result, -result);
    if (!strcmp(what, "x32-getpid")) return result = syscall(0x40000000L | SYS_getpid), verdict(result, errno);
    if (!strcmp(what, "x32-socket")) return result = syscall(0x40000000L | SYS_socket, 40, 1, 0), verdict(result, errno);
    printf("PROBE unable no such probe\n");
    return 2;
}
