"""The page of a case: what a person looks at before they believe its numbers.

`view` and `window` say how a scan is looked at, `picture` cuts and outlines it, `figures` chooses what
is shown, `view_3d` and `scene` make the 3D view, `tables` and `treatment` tell in words, and `page`
puts it together.
"""
