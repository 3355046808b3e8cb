/* Rust's standard library takes random numbers from bcryptprimitives.dll, which Wine 8 lacks. For Wine only, never shipped. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length)
{
    return SystemFunction036(data, (ULONG)length) ? TRUE : FALSE;
}
