/* A library with DEVICES devices, as much of NVML as is asked for (nvml.h). It stands for the driver of NVIDIA in tests. */
#include <stdio.h>
#include <string.h>

typedef int ret;
typedef struct { int index; } *device;
typedef struct { unsigned long long total, free, used; } memory;
typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } memory_v2;
typedef struct { unsigned int gpu, memory; } utilization;
typedef struct {
    char bus_id_legacy[16];
    unsigned int domain, bus, device, pci_device_id, pci_sub_system_id;
    char bus_id[32];
} pci;

static int numbers[DEVICES];
enum { GIB = 1 << 30, NOT_SUPPORTED = 3 };

ret nvmlInit_v2(void) { return 0; }
ret nvmlInitWithFlags(unsigned int flags) { (void)flags; return 0; }
ret nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(ret code) { (void)code; return "fake"; }
ret nvmlDeviceGetCount_v2(unsigned int *count) { *count = DEVICES; return 0; }

ret nvmlDeviceGetHandleByIndex_v2(unsigned int index, device *out) {
    if (index >= DEVICES) return 2;
    numbers[index] = (int)index;
    *out = (device)&numbers[index];
    return 0;
}

ret nvmlDeviceGetName(device d, char *name, unsigned int length) {
    (void)d;
    snprintf(name, length, "NVIDIA H100 80GB HBM3");
    return 0;
}

ret nvmlDeviceGetUUID(device d, char *uuid, unsigned int length) {
    snprintf(uuid, length, "GPU-%08d-fake", d->index);
    return 0;
}

ret nvmlDeviceGetMemoryInfo(device d, memory *out) {
    out->total = 80ULL * GIB;
    out->used = (unsigned long long)(d->index + 1) * GIB;
    out->free = out->total - out->used;
    return 0;
}

ret nvmlDeviceGetMemoryInfo_v2(device d, memory_v2 *out) {
    out->total = 80ULL * GIB;
    out->used = (unsigned long long)(d->index + 1) * GIB;
    out->free = out->total - out->used;
    out->reserved = 0;
    return 0;
}

/* The second device does not tell: one in MIG mode does not. */
ret nvmlDeviceGetUtilizationRates(device d, utilization *out) {
    if (d->index == 1) return NOT_SUPPORTED;
    out->gpu = 37;
    out->memory = 5;
    return 0;
}

ret nvmlDeviceGetPciInfo_v3(device d, pci *out) {
    memset(out, 0, sizeof *out);
    snprintf(out->bus_id_legacy, sizeof out->bus_id_legacy, "0000:%02x:00.0", d->index);
    snprintf(out->bus_id, sizeof out->bus_id, "00000000:%02x:00.0", d->index);
    return 0;
}
