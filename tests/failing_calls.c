/* Loaded before the C library, it lets the N-th call of a kind fail for files in one folder, once or from then on.

   test_failing_calls.py arms it in a fork that has all libraries loaded; until then every call passes. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX], kind[16];
static int number, code, forever, calls;

void failing_calls_arm(const char *in, const char *which, int nth, int error, int on) {
    strncpy(folder, in, sizeof folder - 1);
    strncpy(kind, which, sizeof kind - 1);
    number = nth, code = error, forever = on;
    __atomic_store_n(&calls, 0, __ATOMIC_SEQ_CST);
}

int failing_calls_made(void) { return __atomic_load_n(&calls, __ATOMIC_SEQ_CST); }

static int inside(const char *path) { return folder[0] && strncmp(path, folder, strlen(folder)) == 0; }

static int is_inside(int descriptor) {
    char link[64], path[PATH_MAX];
    if (!folder[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return inside(path);
}

static int fails(const char *which, int here) {
    if (!here || strcmp(which, kind) != 0) return 0;
    int call = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (forever ? call < number : call != number) return 0;
    errno = code;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define PASS(result, name, which, here, types, ...) \
    result name types {                             \
        if (fails(which, here)) return -1;          \
        return REAL(name)(__VA_ARGS__);             \
    }

PASS(ssize_t, read, "read", is_inside(d), (int d, void *b, size_t n), d, b, n)
PASS(ssize_t, pread, "read", is_inside(d), (int d, void *b, size_t n, off_t o), d, b, n, o)
PASS(ssize_t, pread64, "read", is_inside(d), (int d, void *b, size_t n, off64_t o), d, b, n, o)
PASS(ssize_t, write, "write", is_inside(d), (int d, const void *b, size_t n), d, b, n)
PASS(ssize_t, pwrite, "write", is_inside(d), (int d, const void *b, size_t n, off_t o), d, b, n, o)
PASS(ssize_t, pwrite64, "write", is_inside(d), (int d, const void *b, size_t n, off64_t o), d, b, n, o)
PASS(ssize_t, writev, "write", is_inside(d), (int d, const struct iovec *v, int n), d, v, n)
PASS(int, fsync, "fsync", is_inside(d), (int d), d)
PASS(int, fdatasync, "fsync", is_inside(d), (int d), d)
PASS(int, fchmod, "fchmod", is_inside(d), (int d, mode_t m), d, m)
PASS(int, fstat, "fstat", is_inside(d), (int d, struct stat *s), d, s)
PASS(int, fstat64, "fstat", is_inside(d), (int d, struct stat64 *s), d, s)
PASS(int, rename, "rename", inside(a), (const char *a, const char *b), a, b)

/* As on Linux, the descriptor is gone even where closing fails. */
int close(int d) {
    int failed = fails("close", is_inside(d)), result = REAL(close)(d);
    if (failed) errno = code;
    return failed ? -1 : result;
}

#define OPEN(name, path, before, declared)                        \
    int name declared {                                           \
        va_list more;                                             \
        va_start(more, flags);                                    \
        mode_t mode = va_arg(more, mode_t);                       \
        va_end(more);                                             \
        if (fails("open", inside(path))) return -1;               \
        return REAL(name)(before path, flags, mode);              \
    }
#define NOTHING
#define AT at,

OPEN(open, path, NOTHING, (const char *path, int flags, ...))
OPEN(open64, path, NOTHING, (const char *path, int flags, ...))
OPEN(openat, path, AT, (int at, const char *path, int flags, ...))
OPEN(openat64, path, AT, (int at, const char *path, int flags, ...))

FILE *fopen(const char *path, const char *how) { return fails("open", inside(path)) ? NULL : REAL(fopen)(path, how); }
FILE *fopen64(const char *path, const char *how) { return fails("open", inside(path)) ? NULL : REAL(fopen64)(path, how); }
