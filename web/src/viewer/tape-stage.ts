// A measured body with the lines where the tape lay.
import { CatmullRomCurve3, Group, Mesh, MeshBasicMaterial, TubeGeometry, Vector3 } from "three";
import { Stage } from "./stage";

const COLORS = [0xc43c2c, 0x1c68b0, 0x1e8254, 0x9650a0];
const QUIET = 0.0028;
const LOUD = 0.0065;
const LEAST_STEP = 0.003;

/** The points of a line that are not on top of each other. */
function apart(line: number[][]): Vector3[] {
  const points: Vector3[] = [];
  for (const [x = 0, y = 0, z = 0] of line) {
    const point = new Vector3(x, y, z);
    if (!points.length || (points[points.length - 1] as Vector3).distanceTo(point) > LEAST_STEP) points.push(point);
  }
  return points;
}

function tube(line: number[][], radius: number): TubeGeometry {
  const points = apart(line);
  return new TubeGeometry(new CatmullRomCurve3(points), 2 * points.length, radius, 6);
}

export class TapeStage extends Stage {
  private readonly lines = new Group();
  private readonly meshes = new Map<string, { mesh: Mesh; line: number[][] }>();

  /** Draw lines (points of metres, in the body's frame) by their names. */
  setLines(lines: Record<string, number[][]>): void {
    Object.entries(lines).forEach(([name, line], index) => {
      const material = new MeshBasicMaterial({ color: COLORS[index % COLORS.length] ?? 0 });
      const mesh = new Mesh(tube(line, QUIET), material);
      this.meshes.set(name, { mesh, line });
      this.lines.add(mesh);
    });
    this.scene.add(this.lines);
    this.controls.autoRotateSpeed = 1.6;
    this.changed();
  }

  has(name: string): boolean {
    return this.meshes.has(name);
  }

  /** Make one line thick; none for null. */
  point(name: string | null): void {
    for (const [other, { mesh, line }] of this.meshes) {
      mesh.geometry.dispose();
      mesh.geometry = tube(line, other === name ? LOUD : QUIET);
    }
    this.changed();
  }

  turn(on: boolean): void {
    this.controls.autoRotate = on;
    this.changed();
  }

  override dispose(): void {
    for (const { mesh } of this.meshes.values()) {
      mesh.geometry.dispose();
      (mesh.material as MeshBasicMaterial).dispose();
    }
    super.dispose();
  }

  protected override prepare(): void {
    if (this.controls.autoRotate) this.request();
  }
}
