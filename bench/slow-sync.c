/* Preloaded into a process: each sync of the disk takes SLOW_SYNC_MS more, and the number of syncs is written to the file SYNC_COUNT. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void slow(void) {
  static long count = 0;
  const char *ms = getenv("SLOW_SYNC_MS");
  const char *path = getenv("SYNC_COUNT");
  struct timespec pause = {0, (ms ? atol(ms) : 0) * 1000000L};
  long now = __sync_add_and_fetch(&count, 1);
  nanosleep(&pause, NULL);
  if (path) {
    FILE *file = fopen(path, "w");
    if (file) {
      fprintf(file, "%ld", now);
      fclose(file);
    }
  }
}

int fdatasync(int fd) {
  slow();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}

int fsync(int fd) {
  slow();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
