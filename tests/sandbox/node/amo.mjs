// @shevernitskiy/amo: signs in with a code, makes a lead with its contact, finds and changes it.
import { createRequire } from "node:module";

const { Amo } = createRequire(process.env.PACKAGES)("@shevernitskiy/amo");
const { code, client, redirect } = JSON.parse(process.env.STORY);

const amo = new Amo(
  "served.amocrm.ru",
  { client_id: client.id, client_secret: client.secret, grant_type: "authorization_code", code, redirect_uri: redirect },
  { request_delay: 0 },
);
const account = await amo.account.getAccount({ with: ["amojo_id"] });
const [made] = await amo.lead.addComplex([
  {
    name: "Квиз qz-3",
    price: 100,
    _embedded: {
      contacts: [
        {
          first_name: "Иван",
          custom_fields_values: [{ field_code: "PHONE", values: [{ value: "+79990001122", enum_code: "WORK" }] }],
        },
      ],
    },
  },
]);
await amo.lead.updateLeadById(made.id, { price: 5, _embedded: { tags: [{ name: "квиз" }] } });
const listed = await amo.lead.getLeads({ limit: 10, filter: (filter) => filter.multi("id", [made.id]), with: ["contacts"] });
const found = await amo.contact.getContacts({ query: "9990001122" });
const pipelines = await amo.pipeline.getPipelines();
const fields = await amo.custom_fields.getCustomFields("leads", undefined, { limit: 250 });
const users = await amo.user.getUsers();
await amo.note.addNotes("leads", [{ entity_id: made.id, note_type: "common", params: { text: "Ответы" } }]);
const notes = await amo.note.getNotesByEntityId(made.id, "leads", { filter: (filter) => filter.multi("note_type", ["common"]) });

let nothing = "";
try {
  await amo.contact.getContacts({ query: "nobody at all" });
} catch (error) {
  nothing = error.message.slice(0, 3);
}
let refused = 0;
try {
  await amo.lead.addLeads([{ name: "x", price: "много" }]);
} catch (error) {
  refused = error.response?.status;
}
console.log(
  JSON.stringify({
    account: account.id,
    made,
    listed: listed._embedded.leads.map((lead) => [lead.id, lead.price, lead._embedded.contacts[0].id]),
    found: found._embedded.contacts.map((contact) => contact.id),
    pipelines: pipelines._embedded.pipelines.map((pipeline) => pipeline.name),
    fields: fields._embedded.custom_fields.length,
    users: users._embedded.users.length,
    notes: notes._embedded.notes.map((note) => note.params.text),
    nothing,
    refused,
  }),
);
