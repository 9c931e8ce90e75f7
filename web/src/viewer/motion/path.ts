// Where somebody has walked: a ribbon on the floor that grows with time.
import { BufferAttribute, BufferGeometry, Color, DoubleSide, Group, Mesh, MeshBasicMaterial, Vector3 } from "three";

const HALF_WIDTH = 0.02; // metres
const LIFTED = 0.006; // above the grid
const FAINT = 0.22;

export class FloorPath {
  readonly group = new Group();
  private readonly geometry = new BufferGeometry();
  private readonly materials: MeshBasicMaterial[];

  /**
   * @param keys seconds of the points.
   * @param points three numbers each; their heights are not used.
   * @param joined whether point i and the next are of one visit.
   */
  constructor(
    private readonly keys: ArrayLike<number>,
    points: ArrayLike<number>,
    joined: (index: number) => boolean,
    color: Color,
  ) {
    const count = keys.length;
    const place = (index: number): Vector3 => new Vector3(points[3 * index] ?? 0, LIFTED, points[3 * index + 2] ?? 0);
    const corners = new Float32Array(6 * count);
    const indices: number[] = [];
    const side = new Vector3(HALF_WIDTH, 0, 0);
    for (let i = 0; i < count; i++) {
      const along = place(Math.min(i + 1, count - 1)).sub(place(Math.max(i - 1, 0)));
      // Who stands keeps the side of the last step.
      if (along.length() > 1e-4) side.set(along.z, 0, -along.x).setLength(HALF_WIDTH);
      place(i).add(side).toArray(corners, 6 * i);
      place(i).sub(side).toArray(corners, 6 * i + 3);
      if (i + 1 === count) break;
      const a = 2 * i;
      // Two triangles for every step, without area where somebody was away: steps can be counted.
      indices.push(...(joined(i) ? [a, a + 1, a + 2, a + 1, a + 3, a + 2] : [a, a, a, a, a, a]));
    }
    this.geometry.setAttribute("position", new BufferAttribute(corners, 3));
    this.geometry.setIndex(indices);
    const whole = this.geometry.clone();
    this.materials = [FAINT, 0.95].map(
      (opacity) => new MeshBasicMaterial({ color, opacity, transparent: true, depthWrite: false, side: DoubleSide }),
    );
    this.group.add(new Mesh(whole, this.materials[0]), new Mesh(this.geometry, this.materials[1]));
    for (const mesh of this.group.children) mesh.frustumCulled = false;
  }

  /** Show what was walked up to a time strongly, and the rest faintly. */
  walkedTo(seconds: number): void {
    let steps = 0;
    while (steps + 1 < this.keys.length && (this.keys[steps + 1] ?? 0) <= seconds + 1e-4) steps++;
    this.geometry.setDrawRange(0, 6 * steps);
  }

  dispose(): void {
    for (const child of this.group.children) (child as Mesh).geometry.dispose();
    for (const material of this.materials) material.dispose();
  }
}
