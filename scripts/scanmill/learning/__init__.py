"""Networks that are trained on the cohort's own labelled cases.

`unet` and `training` alone need torch, and run in an environment of their own; all else in ScanMill's.
"""
