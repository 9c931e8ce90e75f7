// Where names and heights stand: above the heads, and on nobody's face.

export interface Head {
  /** The crown, in pixels of the view. */
  x: number;
  y: number;
  /** From the crown to the chin. */
  size: number;
}

/** About how wide the pill of a text is, in pixels. */
export const pillWidth = (text: string): number => (text ? 22 + 7.3 * text.length : 0);

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const GAP = 3;
const HEIGHT = 24;
const WIDTH_OF_HEAD = 0.9; // of its size

const apart = (a: Box, b: Box): boolean => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;

/**
 * The middle of each pill's lower edge; null where there is no room for it.
 *
 * @param heads of everyone; null for who is behind the camera.
 * @param widths of their pills, 0 for none.
 * @param width of the view.
 */
export function placePills(heads: readonly (Head | null)[], widths: readonly number[], width: number): ({ x: number; y: number } | null)[] {
  const taken: Box[] = heads
    .filter((head) => head !== null)
    .map(({ x, y, size }) => {
      const half = (WIDTH_OF_HEAD * size) / 2;
      return { left: x - half, right: x + half, top: y, bottom: y + size };
    });
  return heads.map((head, index) => {
    const wide = widths[index] ?? 0;
    if (!head || !wide || head.x < 0 || head.x > width) return null;
    const x = Math.min(Math.max(head.x, wide / 2), Math.max(width - wide / 2, wide / 2));
    let bottom = head.y - GAP;
    for (;;) {
      const box = { left: x - wide / 2, right: x + wide / 2, top: bottom - HEIGHT, bottom };
      if (box.top < 0) return null;
      const first = taken.find((other) => !apart(box, other));
      if (!first) {
        taken.push(box);
        return { x, y: bottom };
      }
      bottom = first.top - GAP; // always higher, for they overlapped
    }
  });
}
