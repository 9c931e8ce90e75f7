import { expect, test } from "vitest";
import { groupsOf, refersTo, type Description, typeWords } from "./openapi";

const description: Description = {
  info: { title: "X", version: "1" },
  paths: {
    "/things/{id}": {
      patch: {
        tags: ["things"],
        summary: "Change A Thing",
        security: [{ token: [] }, { session: [] }],
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Change" } } } },
        responses: {
          422: { description: "Wrong.", content: { "application/problem+json": { schema: { $ref: "#/c/Problem" } } } },
          200: { description: "Successful Response" },
        },
      },
    },
    "/more": { get: { responses: {} } },
  },
  components: {
    schemas: {
      Change: {
        required: ["name"],
        properties: {
          name: { type: "string", description: "Any." },
          size: { anyOf: [{ type: "number", minimum: 1, maximum: 9 }, { type: "null" }], default: 3 },
        },
        examples: [{ name: "a" }],
      },
    },
  },
};

test("operations have their parameters, body and answers", () => {
  const [things, more] = groupsOf(description);
  expect([things?.name, more?.name]).toEqual(["things", "more"]);
  const change = things?.operations[0];
  expect(change).toMatchObject({ method: "PATCH", title: "Change a thing", path: "/things/{id}", needs: ["API token", "session"] });
  expect(change?.parameters[0]).toMatchObject({ name: "id", where: "path", required: true });
  expect(change?.body?.fields).toEqual([
    { name: "name", type: "string", refers: null, required: true, words: "Any." },
    { name: "size", type: "number or null", refers: null, required: false, words: "1 to 9. By default 3." },
  ]);
  expect(change?.body?.example).toContain('"name": "a"');
  expect(change?.answers.map((one) => [one.status, one.words, one.type])).toEqual([["200", "", ""], ["422", "Wrong.", "Problem"]]);
});

test("types are said in words, and lead to what they name", () => {
  const list = { anyOf: [{ type: "array", items: { $ref: "#/c/Person" } }, { type: "null" }] };
  expect(typeWords(list)).toBe("list of Person or null");
  expect(refersTo(list)).toBe("Person");
  expect(typeWords({ type: "object", additionalProperties: { type: "string" } })).toBe("map of string");
  expect(typeWords({ enum: ["man", "woman"] })).toBe('"man", "woman"');
  expect(refersTo({ type: "string" })).toBeNull();
});
