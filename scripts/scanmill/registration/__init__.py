"""One scan brought onto another in physical space: affine, then symmetric diffeomorphic.

A transform maps LPS mm of the fixed scan to LPS mm of the moving one, as in ITK.
"""
