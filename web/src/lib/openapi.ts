// The API's description (OpenAPI 3.1) as what the page of the API shows.

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  additionalProperties?: Schema | boolean;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  examples?: unknown[];
}

interface Content {
  schema?: Schema;
}

interface RawOperation {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, { description: string; content?: Record<string, Content> }>;
  security?: Record<string, string[]>[];
}

export interface Description {
  info: { title: string; description?: string; version: string };
  paths: Record<string, Record<string, RawOperation>>;
  components?: { schemas?: Record<string, Schema> };
}

export interface Field {
  name: string;
  type: string;
  /** The schema that the type names, to look up. */
  refers: string | null;
  required: boolean;
  words: string;
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  title: string;
  words: string;
  needs: string[];
  parameters: (Field & { where: string })[];
  body: { kind: string; fields: Field[]; example: string } | null;
  answers: { status: string; words: string; type: string; refers: string | null }[];
}

export interface Group {
  name: string;
  operations: Operation[];
}

export interface Shape {
  name: string;
  words: string;
  fields: Field[];
}

/** What most people come for. */
const FIRST = ["simple call", "reconstructions", "jobs", "sharing"];
const METHODS = ["get", "post", "put", "patch", "delete"];
const NEEDS: Record<string, string> = { session: "session", token: "API token" };

const refName = (schema: Schema | undefined): string | null => schema?.$ref?.split("/").pop() ?? null;

/** "list of Person", "number or null", "man, woman or neutral". */
export function typeWords(schema: Schema | undefined): string {
  if (!schema) return "anything";
  const name = refName(schema);
  if (name) return name;
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeWords))].join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list of ${typeWords(schema.items)}`;
  if (schema.format === "binary") return "file";
  if (schema.type === "object" && typeof schema.additionalProperties === "object") {
    return `map of ${typeWords(schema.additionalProperties)}`;
  }
  const types = [schema.type ?? "anything"].flat();
  return schema.format && schema.format !== "float" ? `${types.join(" or ")} (${schema.format})` : types.join(" or ");
}

/** The named schema within a type, however it is wrapped. */
export function refersTo(schema: Schema | undefined): string | null {
  if (!schema) return null;
  const inner = [schema.items, ...(schema.anyOf ?? [])];
  if (typeof schema.additionalProperties === "object") inner.push(schema.additionalProperties);
  return refName(schema) ?? inner.map(refersTo).find((name) => name !== null) ?? null;
}

function limits(schema: Schema): string[] {
  const said: string[] = [];
  const ranged = [schema, ...(schema.anyOf ?? [])].find((one) => one.minimum !== undefined || one.maximum !== undefined);
  if (ranged?.minimum !== undefined && ranged.maximum !== undefined) said.push(`${ranged.minimum} to ${ranged.maximum}`);
  else if (ranged?.minimum !== undefined) said.push(`${ranged.minimum} or more`);
  else if (ranged?.maximum !== undefined) said.push(`at most ${ranged.maximum}`);
  if (schema.default !== undefined && schema.default !== null) said.push(`By default ${JSON.stringify(schema.default)}`);
  return said;
}

function fieldOf(name: string, schema: Schema, required: boolean): Field {
  const words = [schema.description ?? "", ...limits(schema).map((text) => `${text}.`)].filter(Boolean).join(" ");
  return { name, type: typeWords(schema), refers: refersTo(schema), required, words };
}

export function fieldsOf(schema: Schema | undefined): Field[] {
  const required = new Set(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {}).map(([name, one]) => fieldOf(name, one, required.has(name)));
}

function bodyOf(raw: RawOperation, schemas: Record<string, Schema>): Operation["body"] {
  const [kind, content] = Object.entries(raw.requestBody?.content ?? {})[0] ?? [];
  if (!kind) return null;
  const named = refName(content?.schema);
  const schema = named ? schemas[named] : content?.schema;
  const example = schema?.examples?.[0];
  return { kind, fields: fieldsOf(schema), example: example === undefined ? "" : JSON.stringify(example, null, 1) };
}

function operationOf(method: string, path: string, raw: RawOperation, schemas: Record<string, Schema>): Operation {
  return {
    id: `${method}-${path}`.replaceAll(/[^a-z0-9]+/gi, "-"),
    method: method.toUpperCase(),
    path,
    title: (raw.summary ?? "").replaceAll(/(?<=\s)[A-Z](?=[a-z]|\b)/g, (letter) => letter.toLowerCase()),
    words: raw.description ?? "",
    needs: [...new Set((raw.security ?? []).flatMap((one) => Object.keys(one)))].map((name) => NEEDS[name] ?? name),
    parameters: (raw.parameters ?? []).map((one) => ({
      ...fieldOf(one.name, { ...one.schema, ...(one.description ? { description: one.description } : {}) }, one.required ?? false),
      where: one.in,
    })),
    body: bodyOf(raw, schemas),
    answers: Object.entries(raw.responses)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([status, answer]) => {
        const schema = Object.values(answer.content ?? {})[0]?.schema;
        const words = answer.description === "Successful Response" ? "" : answer.description;
        return { status, words, type: schema ? typeWords(schema) : "", refers: refersTo(schema) };
      }),
  };
}

/** Operations by their tag, in the description's order. */
export function groupsOf(description: Description): Group[] {
  const schemas = description.components?.schemas ?? {};
  const groups = new Map<string, Operation[]>();
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const method of METHODS) {
      const raw = methods[method];
      if (!raw) continue;
      const name = raw.tags?.[0] ?? "more";
      groups.set(name, [...(groups.get(name) ?? []), operationOf(method, path, raw, schemas)]);
    }
  }
  const place = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...groups].map(([name, operations]) => ({ name, operations })).sort((a, b) => place(a.name) - place(b.name));
}

export const shapesOf = (description: Description): Shape[] =>
  Object.entries(description.components?.schemas ?? {})
    .map(([name, schema]) => ({ name, words: schema.description ?? "", fields: fieldsOf(schema) }))
    .sort((a, b) => a.name.localeCompare(b.name));
