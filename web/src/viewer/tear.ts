// Does a surface hold together in another pose? The same figure as the laboratory's `torn`.

/** Times its photographed length: cloth hardly stretches to half as much again. */
const TORN = 2.5;
/** Share of the surface beyond which a pose is not shown. */
export const MOST_TORN = 0.12;

type Gram = [uu: number, uv: number, vv: number];

function gram(at: ArrayLike<number>, a: number, b: number, c: number): Gram {
  const gramOf: Gram = [0, 0, 0];
  for (let axis = 0; axis < 3; axis++) {
    const from = at[3 * a + axis] ?? 0;
    const u = (at[3 * b + axis] ?? 0) - from;
    const v = (at[3 * c + axis] ?? 0) - from;
    gramOf[0] += u * u;
    gramOf[1] += u * v;
    gramOf[2] += v * v;
  }
  return gramOf;
}

/** The largest factor by which the map from one triangle to another draws anything out. */
function stretch([a, b, c]: Gram, [p, q, r]: Gram): number {
  const determinant = Math.max(a * c - b * b, 1e-16);
  const trace = (c * p - 2 * b * q + a * r) / determinant;
  const product = Math.max(p * r - q * q, 0) / determinant;
  return Math.sqrt(Math.max(trace / 2 + Math.sqrt(Math.max((trace * trace) / 4 - product, 0)), 0));
}

/**
 * Share of the posed surface, 0 to 1, whose triangles are drawn out to more than 2.5 times their
 * length in the photograph.
 *
 * @param before positions, three numbers each, as photographed.
 * @param after the same vertices in another pose.
 * @param index three vertices of each triangle.
 */
export function tornShare(before: ArrayLike<number>, after: ArrayLike<number>, index: ArrayLike<number>): number {
  let torn = 0;
  let whole = 0;
  for (let i = 0; i + 2 < index.length; i += 3) {
    const corners = [index[i] ?? 0, index[i + 1] ?? 0, index[i + 2] ?? 0] as const;
    const posed = gram(after, ...corners);
    const area = Math.sqrt(Math.max(posed[0] * posed[2] - posed[1] * posed[1], 0)) / 2;
    whole += area;
    if (stretch(gram(before, ...corners), posed) > TORN) torn += area;
  }
  return whole ? torn / whole : 0;
}
