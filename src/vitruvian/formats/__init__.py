"""Files: OBJ, GLB, PLY, STL, the viewer page, previews and reports."""
