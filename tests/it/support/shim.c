/* Stands between a program under test and the C library, to move its clock and to have its
   disk fail. The test maps the same file, which TEST_SHIM names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { READS = 1, WRITES = 2, FLUSHES = 4 };

/* What the test says, and what it hears. */
struct told {
    int64_t ahead_us; /* how far the clock of the wall is moved */
    int64_t fails;    /* which kinds of access to files whose name has TEST_SHIM_FILES fail */
    int64_t failed;   /* how many have failed */
};

static struct told nothing;
static volatile struct told *told = &nothing;
static const char *files = "";

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TEST_SHIM");
    const char *named = getenv("TEST_SHIM_FILES");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (named) files = named;
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) told = at;
    close(fd);
}

int clock_gettime(clockid_t id, struct timespec *now) {
    int answer = syscall(SYS_clock_gettime, id, now);
    if (answer == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t ns = now->tv_nsec + told->ahead_us % 1000000 * 1000;
        int64_t carry = ns < 0 ? -1 : ns >= 1000000000 ? 1 : 0;
        now->tv_sec += told->ahead_us / 1000000 + carry;
        now->tv_nsec = ns - carry * 1000000000;
    }
    return answer;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (at) *at = exact.tv_sec;
    return exact.tv_sec;
}

static int is_to_fail(int fd, int64_t how) {
    char link[64], name[4096];
    if (!(told->fails & how) || !*files) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, name, sizeof name - 1);
    if (size < 0) return 0;
    name[size] = 0;
    if (!strstr(name, files)) return 0;
    __atomic_add_fetch(&told->failed, 1, __ATOMIC_SEQ_CST);
    errno = EIO;
    return 1;
}

ssize_t pread64(int fd, void *to, size_t size, off64_t from) {
    if (is_to_fail(fd, READS)) return -1;
    return syscall(SYS_pread64, fd, to, size, from);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t to) {
    if (is_to_fail(fd, WRITES)) return -1;
    return syscall(SYS_pwrite64, fd, from, size, to);
}

int fsync(int fd) { return is_to_fail(fd, FLUSHES) ? -1 : syscall(SYS_fsync, fd); }

int fdatasync(int fd) { return is_to_fail(fd, FLUSHES) ? -1 : syscall(SYS_fdatasync, fd); }
