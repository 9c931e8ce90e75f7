// Reads what the body model's .obj holds: positions and triangles. Texture is not needed here.

export interface ObjMesh {
  positions: Float32Array; // x, y, z of each vertex
  indices: Uint32Array; // three of each triangle
}

/** The mesh of an OBJ text; polygons become fans of triangles. Throws on an index out of range. */
export function parseObj(text: string): ObjMesh {
  const positions: number[] = [];
  const indices: number[] = [];
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    if (text.charCodeAt(start + 1) === 32) {
      const kind = text[start];
      if (kind === "v") {
        const words = text.slice(start + 2, end).trim().split(/\s+/);
        positions.push(Number(words[0]), Number(words[1]), Number(words[2]));
      } else if (kind === "f") {
        const corners = text.slice(start + 2, end).trim().split(/\s+/).map((word) => Number.parseInt(word, 10) - 1);
        for (let i = 2; i < corners.length; i++) {
          indices.push(corners[0] ?? -1, corners[i - 1] ?? -1, corners[i] ?? -1);
        }
      }
    }
    start = end + 1;
  }
  const count = positions.length / 3;
  if (indices.some((index) => !(index >= 0 && index < count))) {
    throw new RangeError("The OBJ file names a vertex that it does not hold.");
  }
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}
