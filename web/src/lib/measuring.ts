// Measuring somebody: what is told of them, the pairs of pictures, and the words for the result.
import { api, sendPairs } from "../api/client";
import { Problem } from "../api/problem";
import type { ClothesSize, Job, Measurement, MeasureValue } from "../api/types";
import { watchJob } from "../api/watch";
import { lengthText } from "./units";

export type View = "front" | "side";
export type Sex = "man" | "woman";
export type Clothes = "underwear" | "tight" | "ordinary";

export interface Told {
  heightCm: number | null;
  weightKg: number | null;
  sex: Sex | null;
  age: number | null;
  clothes: Clothes | null;
  keep: boolean;
}

/** The two pictures of one capture, as far as they are there. */
export type Pair = Record<View, File | null>;

export const NO_PAIR: Pair = { front: null, side: null };
export const MOST_PAIRS = 4;
export const LEAST_CM = 95;
const CLOTHES: readonly string[] = ["underwear", "tight", "ordinary"] satisfies Clothes[];
export const MOST_CM = 220;
const KG_PER_POUND = 0.45359237;

/** The fields of the request; what is not known is left out. */
export function fieldsOf(told: Told): Record<string, string> {
  const fields: Record<string, string> = { height_cm: String(told.heightCm), keep: String(told.keep) };
  if (told.weightKg !== null) fields["weight_kg"] = String(told.weightKg);
  if (told.sex !== null) fields["sex"] = told.sex;
  if (told.age !== null) fields["age"] = String(told.age);
  if (told.clothes !== null) fields["clothes"] = told.clothes;
  return fields;
}

/** What another device needs to go on: behind the address's `#`, which browsers send to nobody. */
export function toFragment(token: string, told: Told): string {
  return new URLSearchParams({ t: token, ...fieldsOf(told) }).toString();
}

export function fromFragment(hash: string): { token: string; told: Told } | null {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const token = given.get("t");
  if (!token) return null;
  const number = (name: string): number | null => {
    const value = Number(given.get(name) ?? Number.NaN);
    return Number.isFinite(value) ? value : null;
  };
  const sex = given.get("sex");
  const clothes = given.get("clothes") ?? "";
  const told: Told = {
    heightCm: number("height_cm"),
    weightKg: number("weight_kg"),
    sex: sex === "man" || sex === "woman" ? sex : null,
    age: number("age"),
    clothes: CLOTHES.includes(clothes) ? (clothes as Clothes) : null,
    keep: given.get("keep") === "true",
  };
  return { token, told };
}

/** Which view a refusal is about; both when it says nothing of one. */
export function viewsOf(sentence: string): View[] {
  const views = (["front", "side"] as const).filter((view) => new RegExp(`^(Pair \\d: )?The ${view} view|in the ${view} view`).test(sentence));
  return views.length === 1 ? views : ["front", "side"];
}

/** Which of several pairs, from 0, a refusal is about. */
export const pairOf = (sentence: string): number => Number(/^Pair (\d):/.exec(sentence)?.[1] ?? 1) - 1;

/** The pairs that can be sent; null while a picture of one is missing. */
export function wholePairs(pairs: readonly Pair[]): { front: File; side: File }[] | null {
  const begun = pairs.filter(({ front, side }) => front ?? side);
  const whole = begun.flatMap(({ front, side }) => (front && side ? [{ front, side }] : []));
  return whole.length > 0 && whole.length === begun.length ? whole : null;
}

const ended = (id: string): Promise<Job> => new Promise((resolve, reject) => void watchJob(id, (job) => {
  if (job.state === "succeeded") resolve(job);
  else if (job.problem) reject(new Problem(job.problem));
  else if (job.state === "cancelled") reject(new DOMException("cancelled", "AbortError"));
}, reject));

/**
 * Send the pictures and wait for the measures.
 *
 * @param token of a hand-off; then the measures belong to whoever made it, and null may be the answer.
 */
export async function measure(
  pairs: readonly { front: Blob; side: Blob }[],
  told: Told,
  token: string | null,
): Promise<Measurement | null> {
  const answer = await sendPairs(pairs, fieldsOf(told), token);
  if ("measures" in answer) return answer;
  if (token !== null) return null;
  const job = await ended(answer.id);
  return job.measurement_id ? api.measurement(job.measurement_id) : null;
}

export const kgOf = (pounds: number): number => Math.round(pounds * KG_PER_POUND * 10) / 10;
export const poundsOf = (kg: number): number => Math.round(kg / KG_PER_POUND);

export const bandText = (one: MeasureValue): string =>
  one.low_cm === one.high_cm ? "as told" : `${lengthText(one.low_cm)} to ${lengthText(one.high_cm)}`;

/** "S to L", where the measures leave more than one size open. */
export function openText(size: ClothesSize): string {
  const { smallest, largest } = size;
  return smallest && largest && smallest !== largest ? `${smallest} to ${largest}` : "";
}
