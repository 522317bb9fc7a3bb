"""Reference section 9, lines 20 to 23: batch."""

from __future__ import annotations

import pytest

from connectors.sandbox.core import TimedOut


def test_20_the_51st_command_gets_its_own_error(bx):
    found = bx.batch({f"k{number}": "scope" for number in range(52)})
    assert len(found["result"]) == 50
    assert {key: error["error"] for key, error in found["result_error"].items()} == {
        "k50": "ERROR_BATCH_LENGTH_EXCEEDED",
        "k51": "ERROR_BATCH_LENGTH_EXCEEDED",
    }


def test_20_a_nested_batch_is_refused(bx):
    found = bx.batch({"a": "batch?cmd[x]=scope", "b": "scope", "c": 5})
    assert found["result_error"]["a"]["error"] == "ERROR_BATCH_METHOD_NOT_ALLOWED"
    assert found["result"].keys() == {"b"}


@pytest.mark.parametrize("cmd", [["scope", "crm.deal.list?"], {"0": "scope", "1": "crm.deal.list"}])
def test_20_keys_from_zero_come_back_as_a_list(bx, cmd):
    found = bx.batch(cmd)
    assert found["result"] == [["crm", "user", "userfieldconfig"], []]
    assert found["result_error"] == found["result_next"] == []
    assert found["result_total"] == {"1": 0}
    nothing = bx.batch({})
    assert len(nothing) == 5
    assert all(part == [] for part in nothing.values())


def test_20_other_keys_come_back_as_an_object(bx):
    assert bx.batch({"1": "scope", "2": "scope"})["result"].keys() == {"1", "2"}
    assert isinstance(bx.batch({"1": "scope", "0": "scope"})["result"], dict)


def test_20_a_trailing_ampersand_and_unknown_parameters_are_fine(bx, portal):
    found = bx.batch({"order0": "crm.lead.add?__order=order0&fields[TITLE]=%D0%B0%26b+c&"})
    assert portal.leads[found["result"]["order0"]]["TITLE"] == "а&b c"
    cut = bx.batch({"a": "crm.lead.add?fields[TITLE]=a#b&fields[COMMENTS]=lost"})["result"]["a"]
    assert (portal.leads[cut]["TITLE"], portal.leads[cut].get("COMMENTS")) == ("a", None)


def test_20_a_command_carries_its_total_and_next(bx):
    for _ in range(51):
        bx.add("contact", NAME="x")
    found = bx.batch({"a": "crm.contact.list?select[0]=ID"})
    assert (len(found["result"]["a"]), found["result_total"]["a"], found["result_next"]["a"]) == (50, 51, 50)
    assert found["result_time"]["a"]["operating"] == 0


def test_21_halt_leaves_the_later_keys_out(bx, portal):
    cmd = {
        "a": "crm.lead.add?fields[TITLE]=a",
        "b": "crm.lead.get?id=999",
        "c": "crm.lead.add?fields[TITLE]=c",
    }
    halted = bx.batch(cmd, halt=1)
    assert (halted["result"].keys(), halted["result_error"].keys()) == ({"a"}, {"b"})
    assert halted["result_error"]["b"] == {"error": "", "error_description": "Not found"}
    assert len(portal.leads) == 1  # no rollback
    assert bx.batch(cmd, halt=0)["result"].keys() == {"a", "c"}
    assert len(portal.leads) == 3


@pytest.mark.parametrize(("halt", "ran"), [("false", 1), ("0", 2), (False, 2), (True, 1), ("", 2)])
def test_21_halt_is_what_php_takes_for_true(bx, halt, ran):
    cmd = {"a": "scope", "b": "nope", "c": "scope"}
    assert len(bx.batch(cmd, halt=halt)["result"]) == ran


def test_22_a_chain_of_one_round_trip(bx, portal):
    found = bx.batch(
        {
            "c": "crm.contact.add?fields[NAME]=Ann",
            "d": "crm.deal.add?fields[CONTACT_IDS][0]=$result[c]&fields[TITLE]=for $result[c] now",
            "i": "crm.item.add?entityTypeId=2&fields[title]=Item&fields[contactIds][0]=$result[c]",
            "u": "crm.deal.update?id=$result[i][item][id]&fields[TITLE]=seen",
            "l": "crm.contact.list?filter[NAME]=Ann",
            "g": "crm.contact.get?id=$result[l][0][ID]",
            "t": "crm.lead.add?fields[TITLE]=$total[l]",
        },
        halt=1,
    )
    result = found["result"]
    assert found["result_error"] == []
    assert portal.deals[result["d"]].people == portal.deals[result["i"]["item"]["id"]].people == [result["c"]]
    assert portal.deals[result["d"]]["TITLE"] == f"for {result['c']} now"
    assert portal.deals[result["i"]["item"]["id"]]["TITLE"] == "seen"
    assert (result["g"]["NAME"], portal.leads[result["t"]]["TITLE"]) == ("Ann", "1")


def test_22_a_whole_value_keeps_its_type(bx, portal):
    found = bx.batch(
        {
            "a": "crm.duplicate.findbycomm?type=EMAIL&values[]=a@b.ru",
            "u": "user.get",
            "l": "crm.lead.add?fields=$result[u][0]",
        }
    )
    assert portal.leads[found["result"]["l"]]["NAME"] == "Анна"


def test_22_a_missing_step_stops_at_the_deepest_value(bx, portal):
    first = bx.add("contact", NAME="a stranger")
    assert first == 31
    portal.start_counting("contact", 1)
    stranger = bx.add("contact", NAME="id 1")
    found = bx.batch(
        {"x": "scope", "c": "crm.contact.get?id=999", "d": "crm.deal.add?fields[CONTACT_IDS][0]=$result[c]"}
    )
    assert found["result_error"].keys() == {"c"}
    # the map of earlier results, cast to an integer: a link to a foreign record with the id 1
    assert portal.deals[found["result"]["d"]].people == [stranger] == [1]
    deep = bx.batch({"c": "crm.contact.list", "g": "crm.contact.get?id=$result[c][49][ID]"})
    assert deep["result"]["g"]["ID"] == "1"  # the page, cast to 1


def test_22_references_glued_by_a_comma_break(bx, portal):
    cmd = {"a": "crm.contact.add?fields[NAME]=a", "d": "crm.lead.add?fields[TITLE]=x $result[a],$result[a] y"}
    title = portal.leads[bx.batch(cmd)["result"]["d"]]["TITLE"]
    assert title != f"x {bx.batch(cmd)['result']['a']},{bx.batch(cmd)['result']['a']} y"


def test_23_a_batch_is_one_request(b24, bx):
    b24.switches.update({"limits": True, "bucket": 2})
    bx.batch(["scope"] * 50)
    assert bx.ok("scope")
    assert bx.refused("scope") == (503, "QUERY_LIMIT_EXCEEDED")


def test_23_a_nested_method_pays_for_itself(b24, bx):
    b24.switches.update({"limits": True, "costs": {"crm.lead.add": 300.0}})
    found = bx.batch(dict.fromkeys("abc", "crm.lead.add?fields[TITLE]=x"))
    assert found["result"].keys() == {"a", "b"}
    assert found["result_error"]["c"]["error"] == "OPERATION_TIME_LIMIT"
    assert bx.refused("crm.lead.add", fields={})[0] == 429


def test_23_the_outer_batch_may_pay(b24, bx):
    b24.switches.update({"limits": True, "batch_charge": "outer", "costs": {"crm.lead.add": 300.0}})
    found = bx.batch(dict.fromkeys("ab", "crm.lead.add?fields[TITLE]=x"))
    assert found["result_time"]["b"]["operating"] == 0
    assert bx.refused("batch", cmd=["scope"]) == (429, "OPERATION_TIME_LIMIT")


def test_23_scope_is_checked_for_each_command(b24, portal, bx):
    portal.installed[b24.app.client_id].scopes = ("user",)
    found = bx.batch({"a": "user.get", "b": "crm.deal.list"})
    assert (list(found["result"]), found["result_error"]["b"]["error"]) == (["a"], "insufficient_scope")


def test_21_one_method_may_fail_inside_a_batch(b24, bx, portal):
    b24.switches["method_errors"] = {"crm.deal.add": "OPERATION_TIME_LIMIT"}
    found = bx.batch({"c": "crm.contact.add?fields[NAME]=a", "d": "crm.deal.add?fields[TITLE]=b"}, halt=1)
    assert found["result_error"]["d"]["error"] == "OPERATION_TIME_LIMIT"
    assert (len(portal.contacts), len(portal.deals)) == (1, 0)


def test_21_a_batch_may_be_cut_off_half_way(b24, bx, portal):
    b24.switches["cut_batch_after"] = 2
    cmd = dict.fromkeys("abc", "crm.lead.add?fields[TITLE]=x")
    with pytest.raises(TimedOut):
        bx.batch(cmd)
    assert len(portal.leads) == 2
    assert len(bx.batch(cmd)["result"]) == 3


def test_23_a_batch_takes_as_long_as_its_commands(bx, b24):
    b24.switches.update(latency=0.3, latency_per_command=0.02)
    before = b24.clock.now()
    bx.batch({f"k{number}": "scope" for number in range(10)})
    assert b24.clock.now() == pytest.approx(before + 0.5)
    bx.call("scope")
    assert b24.clock.now() == pytest.approx(before + 0.82)
