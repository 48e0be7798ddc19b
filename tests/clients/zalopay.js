// Orders and callbacks signed with crypto-js, the library of ZaloPay's own samples: no published
// client makes its callbacks. Prints one JSON object; each true message has a false twin in which
// one thing was changed.
//
// node zalopay.js COUNT APP_ID KEY1 KEY2
"use strict";

const CryptoJS = require("crypto-js");

const [count, appId, key1, key2] = process.argv.slice(2);
const texts = ["Nộp phí hồ sơ", "TP0123456789AB 1.004222", "100% \"quoted\" \\ / | {}", "日本 ~*()!'"];
const hmac = (text, key) => CryptoJS.HmacSHA256(text, key).toString();

// A generator of our own, so that each run makes the same messages.
let state = 20261124;
function draw(limit) {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return state % limit;
}

function order(n) {
  const created = 1_795_494_600_000 + draw(3_000_000) * 1000;
  const hanoi = new Date(created + 7 * 3_600_000).toISOString();
  const day = hanoi.slice(2, 10).replaceAll("-", "");
  const embed = JSON.stringify({ redirecturl: `https://pay.example.gov.vn/pay/${n}?lang=vi` });
  const fields = {
    app_id: Number(appId), app_trans_id: `${day}_ORDER${n}`, app_user: "citizen",
    amount: 1 + draw(49_999_000), app_time: created, embed_data: embed, item: "[]",
  };
  return { ...fields, mac: hmac(Object.values(fields).join("|"), key1) };
}

function changed(body) {
  const said = JSON.parse(body);
  const name = ["data", "mac", "type"][draw(3)];
  if (name === "type") return JSON.stringify({ ...said, type: 2 });
  const at = draw(said[name].length);
  const other = said[name][at] === "0" ? "1" : "0";
  return JSON.stringify({
    ...said, [name]: said[name].slice(0, at) + other + said[name].slice(at + 1),
  });
}

function notice(n) {
  const fields = {
    app_id: Number(appId), app_trans_id: `261124_ORDER${n}`, app_time: 1_795_494_600_000 + n,
    app_user: "citizen", amount: 1 + draw(49_999_000),
    embed_data: JSON.stringify({ redirecturl: "https://pay.example.gov.vn", note: texts[draw(4)] }),
    item: "[]", zp_trans_id: 261_124_000_000_000 + draw(1_000_000_000),
    server_time: 1_795_494_600_000 + draw(86_400_000), channel: 38,
    merchant_user_id: texts[draw(4)], user_fee_amount: 0, discount_amount: 0,
  };
  const data = JSON.stringify(fields);
  const good = JSON.stringify({ data, mac: hmac(data, key2), type: 1 });
  return { good, bad: changed(good), fields };
}

const made = { orders: [], notices: [] };
for (let n = 1; n <= Number(count); n += 1) {
  made.orders.push(order(n));
  made.notices.push(notice(n));
}
process.stdout.write(JSON.stringify(made));
