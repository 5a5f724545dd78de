"""Broadcom MegaRAID and its kin (PERC, HPE MR, PRAID) through `storcli64 ... J`."""
