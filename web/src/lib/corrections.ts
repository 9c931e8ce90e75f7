// What the user says of the people in a picture. Everything goes by boxes in its pixels: people may
// get other numbers when the result is made anew, but stay where they are.
import type { Person, Reconstruction } from "../api/types";

export type Box = [number, number, number, number];
export type Sex = "man" | "woman" | "neutral";
export type Direction = "towards" | "away";
/** Parts of arms and legs, the subject's own left and right, as the API names them. */
export const LIMBS = ["upper arm", "forearm", "thigh", "lower leg"].flatMap((part) => [`left ${part}`, `right ${part}`]);

export interface Correction {
  box: Box;
  height_cm: number | null;
  sex: Sex | null;
  age: number | "child" | "adult" | null;
  not_a_person: boolean;
  /** Which way limbs point, as one goes from the trunk outwards. */
  limbs: Record<string, Direction> | null;
}
/** What can be said, and taken back, one by one. */
export type Fact = "height_cm" | "sex" | "age" | "not_a_person" | "limbs";

/** What the API takes. */
export interface Hints {
  [kind: string]: unknown;
  boxes: Record<string, unknown>[];
}

/** Intersection over union at which two boxes are around one person, as on the server. */
const SAME = 0.5;

export const boxOf = (box: readonly number[]): Box => [box[0] ?? 0, box[1] ?? 0, box[2] ?? 0, box[3] ?? 0];

export const nothingOf = (box: readonly number[]): Correction => ({
  box: boxOf(box),
  height_cm: null,
  sex: null,
  age: null,
  not_a_person: false,
  limbs: null,
});

const area = ([x0, y0, x1, y1]: Box): number => Math.max(0, x1 - x0) * Math.max(0, y1 - y0);

/** Intersection over union. */
export function overlap(a: Box, b: Box): number {
  const both = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return both ? both / (area(a) + area(b) - both) : 0;
}

/** The one around a box, of things that have boxes; null when there is none. */
export function around<T extends { box: readonly number[] }>(things: readonly T[], box: readonly number[]): T | null {
  let best: T | null = null;
  let most = SAME;
  for (const thing of things) {
    const much = overlap(boxOf(thing.box), boxOf(box));
    if (much >= most) [best, most] = [thing, much];
  }
  return best;
}

/** Boxes that somebody drew are of whole pixels; those of people who were found are not. */
export const isDrawn = (correction: Correction): boolean => correction.box.every(Number.isInteger);
export const drawn = (box: Box): Box => boxOf(box.map(Math.round));

const saysNothing = ({ height_cm, sex, age, not_a_person, limbs }: Correction): boolean =>
  height_cm === null && sex === null && age === null && !not_a_person && limbs === null;

/** The list with a correction in place of what was said of the same person. */
export function corrected(list: readonly Correction[], correction: Correction): Correction[] {
  const earlier = around(list, correction.box);
  const others = list.filter((other) => other !== earlier);
  return saysNothing(correction) && !isDrawn(correction) ? others : [...others, correction];
}

/** What a result was made with. */
export function madeWith(result: Reconstruction): Correction[] {
  const { hints, height_cm } = result.options;
  const people = [...result.people, ...(result.left_out ?? []).filter((one) => one.id !== null)];
  const largest = people.reduce<{ box: readonly number[] } | null>(
    (best, one) => (best && area(boxOf(best.box)) >= area(boxOf(one.box)) ? best : one),
    null,
  );
  let list: Correction[] = (hints?.boxes ?? []).map((hint) => ({ ...nothingOf(hint.box), ...known(hint) }));
  for (const [who, hint] of Object.entries(hints?.people ?? {})) {
    const person = who === "largest" ? largest : people.find((one) => String(one.id) === who);
    if (person && !around(list, person.box)) list = corrected(list, { ...nothingOf(person.box), ...known(hint) });
  }
  if (height_cm !== null && height_cm !== undefined && largest) {
    const said = around(list, largest.box) ?? nothingOf(largest.box);
    list = corrected(list, { ...said, height_cm: said.height_cm ?? height_cm });
  }
  return list;
}

type Said = { [fact in Fact]?: Correction[fact] | null | undefined };

function known(hint: Said): Omit<Correction, "box"> {
  const { height_cm, sex, age, not_a_person, limbs } = hint;
  return {
    height_cm: height_cm ?? null,
    sex: sex ?? null,
    age: age ?? null,
    not_a_person: not_a_person ?? false,
    limbs: limbs && Object.keys(limbs).length ? limbs : null,
  };
}

/** Corrections as the API takes them; null when there are none. */
export function hintsOf(list: readonly Correction[]): Hints | null {
  const boxes = list.map((correction) =>
    Object.fromEntries(Object.entries(correction).filter(([, value]) => value !== null && value !== false)),
  );
  return boxes.length ? { boxes } : null;
}

/** Whether two lists say the same, whatever their order. */
export function sameAs(a: readonly Correction[], b: readonly Correction[]): boolean {
  const keys = [...Object.keys(nothingOf([])), ...LIMBS].sort(); // of what is within, too
  const text = (list: readonly Correction[]): string => JSON.stringify(list.map((one) => JSON.stringify(one, keys)).sort());
  return text(a) === text(b);
}

/** Index of whoever is where a person was before; null when nobody is. */
export function sameIndex(people: readonly Person[], earlier: Person | undefined): number | null {
  const there = earlier ? around(people, earlier.box) : null;
  return there ? people.indexOf(there) : null;
}

const SEXES: Record<Sex, string> = { man: "man", woman: "woman", neutral: "neither man nor woman" };

/** Such as "left forearm and left thigh towards the camera, right thigh away from it". */
function limbWords(limbs: Record<string, Direction>): string {
  const of = (direction: Direction): string => LIMBS.filter((limb) => limbs[limb] === direction).join(" and ");
  const [towards, away] = [of("towards"), of("away")];
  if (!towards) return `${away} away from the camera`;
  return `${towards} towards the camera${away ? `, ${away} away from it` : ""}`;
}

/** What was said, in words, each with what takes it back. */
export function factsOf(correction: Correction, height: (metres: number) => string): { fact: Fact; words: string }[] {
  const { height_cm, sex, age, not_a_person, limbs } = correction;
  const facts: { fact: Fact; words: string }[] = [];
  if (height_cm !== null) facts.push({ fact: "height_cm", words: height(height_cm / 100) });
  if (sex !== null) facts.push({ fact: "sex", words: SEXES[sex] });
  if (age !== null) facts.push({ fact: "age", words: typeof age === "number" ? `${age} years` : age });
  if (not_a_person) facts.push({ fact: "not_a_person", words: "not a person" });
  if (limbs !== null) facts.push({ fact: "limbs", words: limbWords(limbs) });
  return facts;
}

/** A correction without one of its facts. */
export const without = (correction: Correction, fact: Fact): Correction => ({
  ...correction,
  [fact]: fact === "not_a_person" ? false : null,
});
