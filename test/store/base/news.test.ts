/** When a store asks for changes by other programs, and what it claims to know. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CompleteNews, News } from "../../../src/store/base/news.ts";

function scene() {
  const asked: number[] = [];
  const news = new News((at) => asked.push(at));
  return { asked, news };
}

test("it asks on demand, at most four times a second, and one question at a time", () => {
  const { asked, news } = scene();
  news.toldUntil(1000);
  news.toldUntil(2000);
  assert.deepEqual(asked, [1000]);
  news.answered(1000);
  for (let now = 2000; now < 3000; now += 10) {
    news.toldUntil(now);
    news.answered(asked.at(-1) ?? 0);
  }
  assert.deepEqual(asked, [1000, 2000, 2250, 2500, 2750]);
});

test("an answer counts from its question on", () => {
  const { news } = scene();
  assert.equal(news.toldUntil(1000), Number.NEGATIVE_INFINITY);
  news.answered(1000);
  assert.equal(news.toldUntil(1400), 1000);
});

test("after a failed question it asks again, but not with every request", () => {
  const { asked, news } = scene();
  news.toldUntil(1000);
  news.unanswered();
  news.toldUntil(1010);
  assert.equal(news.toldUntil(1250), Number.NEGATIVE_INFINITY);
  assert.deepEqual(asked, [1000, 1250]);
});

test("a clock that is set back is no reason to stop asking", () => {
  const { asked, news } = scene();
  news.toldUntil(5000);
  news.answered(5000);
  news.toldUntil(1000);
  assert.deepEqual(asked, [5000, 1000]);
});

test("an era remembers until when it held", () => {
  const { news } = scene();
  news.answered(1000);
  news.beginEra();
  news.answered(2000);
  assert.equal(news.heldUntil(0), 1000);
  assert.equal(news.heldUntil(1), 2000);
  for (let era = 0; era < 2000; era++) news.beginEra();
  assert.equal(news.heldUntil(0), Number.NEGATIVE_INFINITY);
});

test("a database in memory has no other programs", () => {
  const news = new CompleteNews();
  assert.equal(news.toldUntil(1234), 1234);
  assert.equal(news.heldUntil(news.era), 1234);
});
