/* A disk that is slow: put in front of the C library, it lets each read at a place of a file take its time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

typedef ssize_t (*read_at)(int, void *, size_t, off64_t);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t latency_ns, rate, free_at_ns;

/* From now on: what passes before each read, and bytes a second of all of them together; none where they are 0. */
void slow_disk(int64_t latency_us, int64_t bytes_per_second) {
    pthread_mutex_lock(&lock);
    latency_ns = latency_us * 1000;
    rate = bytes_per_second;
    pthread_mutex_unlock(&lock);
}

static void wait_for(size_t bytes) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ns = now.tv_sec * 1000000000LL + now.tv_nsec, due_ns;
    pthread_mutex_lock(&lock);
    if (free_at_ns < now_ns) free_at_ns = now_ns;
    if (rate > 0) free_at_ns += (int64_t)(bytes * 1e9 / rate);
    due_ns = free_at_ns + latency_ns;
    int is_slow = rate > 0 || latency_ns > 0;
    pthread_mutex_unlock(&lock);
    if (!is_slow) return;
    struct timespec due = {due_ns / 1000000000LL, due_ns % 1000000000LL};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0) {}
}

ssize_t pread64(int file, void *bytes, size_t count, off64_t offset) {
    static read_at next;
    if (!next) next = (read_at)dlsym(RTLD_NEXT, "pread64");
    wait_for(count);
    return next(file, bytes, count, offset);
}

ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
    return pread64(file, bytes, count, offset);
}
