// @bitrix24/b24jssdk over an incoming webhook: calls, a batch whose commands use each other, lists, an error.
import { createRequire } from "node:module";

const { B24Hook } = createRequire(process.env.PACKAGES)("@bitrix24/b24jssdk");
const { secret, user } = JSON.parse(process.env.STORY);

const b24 = new B24Hook({ b24Url: process.env.LOCAL_CRM, userId: user, secret });
const { call, batch, callList, fetchList } = b24.actions.v2;
const { result: profile } = (await call.make({ method: "profile" })).getData();
const chain = await batch.make({
  calls: {
    person: { method: "crm.contact.add", params: { fields: { NAME: "Иван", PHONE: [{ VALUE: "+79990001122", VALUE_TYPE: "WORK" }] } } },
    deal: { method: "crm.deal.add", params: { fields: { TITLE: "Квиз & ответ", CONTACT_IDS: ["$result[person]"] } } },
  },
  options: { isHaltOnError: true, returnAjaxResult: true },
});
const made = Object.fromEntries(Object.entries(chain.getData()).map(([key, one]) => [key, one.getData().result]));
const listed = await callList.make({ method: "crm.lead.list", params: { select: ["ID", "TITLE"] } });
let streamed = 0;
for await (const page of fetchList.make({ method: "crm.lead.list", params: { select: ["ID"] }, idKey: "ID" })) {
  streamed += page.length;
}
const items = await call.make({ method: "crm.item.list", params: { entityTypeId: 2, select: ["id", "title"], filter: { id: made.deal } } });
let refused = "";
try {
  const wrong = await call.make({ method: "crm.no.such.method" });
  refused = wrong.isSuccess ? "" : wrong.getErrorMessages().join();
} catch (error) {
  refused = error.code;
}
console.log(JSON.stringify({ profile: profile.ID, made, listed: listed.getData().length, streamed, items: items.getData().result.items, refused }));
