from tests.process import fleet, monitor, wait_for


def test_the_last_checks_of_all_services_come_in_one_answer() -> None:
    with fleet() as targets, monitor("--config", str(targets.config)) as one:
        targets.behave("fks_web", "error")
        wait_for(lambda: len(one.get("/api/history/recent")["services"].get("fks_web", [])) > 3)
        found = one.get("/api/history/recent?checks=2")["services"]
        assert set(found) == {each["id"] for each in one.get("/api/services")}
        assert all(len(checks) <= 2 for checks in found.values())
        assert found["fks_web"][-1][1:] == [3, 0.0]
        at, status, took = found["fks_api"][-1]
        assert (status, took > 0, at > found["fks_api"][0][0] - 1) == (1, True, True)
        assert one.request("/api/history/recent?checks=0")[0] == 400
