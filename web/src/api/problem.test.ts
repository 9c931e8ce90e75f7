import { describe, expect, it } from "vitest";
import { advice, Problem, problemFrom, sentence } from "./problem";

describe("problems", () => {
  it("are read from problem details", () => {
    const body = { code: "nobody-found", title: "Nobody was found", status: 422, detail: "Nobody was found in the picture." };
    const problem = problemFrom(422, body);
    expect([problem.code, problem.title, sentence(problem)]).toEqual([body.code, body.title, body.detail]);
    expect(advice(problem.code)[0]).toMatch(/head to foot/);
  });

  it("are made up for answers of something between us", () => {
    expect(problemFrom(413, null).message).toMatch(/larger than the server takes/);
    expect(problemFrom(502, "<html>").message).toMatch(/502/);
  });

  it("say when to try again, once", () => {
    const body = { code: "queue-full", title: "Busy", status: 429, detail: "Too much is waiting." };
    expect(sentence(problemFrom(429, body, "30"))).toBe("Too much is waiting. Try again in 30 seconds.");
    expect(sentence(problemFrom(429, body, "7200"))).toBe("Too much is waiting. Try again in 2 hours.");
    const told = { ...body, detail: "Too much is waiting; try again later." };
    expect(sentence(problemFrom(429, told, "30"))).toBe(told.detail);
  });

  it("do not show what was thrown inside the page", () => {
    expect(sentence(new TypeError("x is undefined"))).toMatch(/Reload/);
    expect(sentence(new Problem({ code: "a", title: "b", status: 1, detail: "c" }))).toBe("c");
  });
});
