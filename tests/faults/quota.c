/* A quota: while the file QUOTA_SPENT exists, no process writes to a file below the folder QUOTA_FOLDER. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int spent(int file) {
  const char *folder = getenv("QUOTA_FOLDER"), *flag = getenv("QUOTA_SPENT");
  char name[64], path[PATH_MAX];
  if (!folder || !flag || access(flag, F_OK)) return 0;
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  ssize_t n = readlink(name, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  if (strncmp(path, folder, strlen(folder))) return 0;
  errno = EDQUOT;
  return 1;
}

#define LIMITED(result, name, parameters, arguments)              \
  result name parameters {                                        \
    static result (*real) parameters;                             \
    if (!real) real = dlsym(RTLD_NEXT, #name);                    \
    return spent(file) ? -1 : real arguments;                     \
  }

LIMITED(ssize_t, write, (int file, const void *data, size_t size), (file, data, size))
LIMITED(ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count))
LIMITED(ssize_t, pwrite, (int file, const void *data, size_t size, off_t at), (file, data, size, at))
LIMITED(ssize_t, pwrite64, (int file, const void *data, size_t size, off64_t at), (file, data, size, at))
LIMITED(ssize_t, copy_file_range, (int from, off64_t *start, int file, off64_t *at, size_t size, unsigned flags), (from, start, file, at, size, flags))
LIMITED(ssize_t, sendfile, (int file, int from, off_t *start, size_t size), (file, from, start, size))
