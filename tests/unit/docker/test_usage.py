from fks_master.docker.usage import Usage, usage_of, with_reading_before

V1 = {
    "cpu_stats": {"cpu_usage": {"total_usage": 3_000}, "system_cpu_usage": 20_000, "online_cpus": 2},
    "precpu_stats": {"cpu_usage": {"total_usage": 1_000}, "system_cpu_usage": 10_000},
    "memory_stats": {"usage": 5_242_880, "limit": 8_388_608, "stats": {"total_inactive_file": 1_048_576}},
    "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
    "blkio_stats": {"io_service_bytes_recursive": [{"op": "Read", "value": 7}, {"op": "write", "value": 9}]},
}


def test_the_formulas_of_docker_stats() -> None:
    assert usage_of(V1) == Usage(40.0, 4_194_304, 8_388_608, 11, 22, 7, 9, 2)
    assert usage_of(V1).memory_mebibytes == 4.0


def test_a_container_may_use_its_limit_and_never_more_than_there_is() -> None:
    assert [Usage(cores=8, cpu_limit=limit).cores_allowed for limit in (None, 1.5, 16.0)] == [8, 1.5, 8]
    assert Usage().cores_allowed is None


def test_cgroup_v2_names_the_cache_otherwise() -> None:
    memory = {"usage": 100, "stats": {"inactive_file": 40}}
    assert usage_of({"memory_stats": memory}).memory_bytes == 60


def test_cores_are_counted_where_an_old_daemon_does_not_say() -> None:
    now = {"cpu_usage": {"total_usage": 3_000, "percpu_usage": [1, 2, 3, 4]}, "system_cpu_usage": 20_000}
    assert usage_of({**V1, "cpu_stats": now}).cpu_percent == 80.0


def test_a_counter_that_began_anew_says_nothing() -> None:
    swapped = {**V1, "cpu_stats": V1["precpu_stats"], "precpu_stats": V1["cpu_stats"]}
    assert usage_of(swapped).cpu_percent is None
    assert usage_of({**V1, "precpu_stats": {}}).cpu_percent is None


def test_what_is_missing_or_odd_is_unknown() -> None:
    odd: list[object] = [None, [], "x", {}, {"memory_stats": [], "networks": 3, "blkio_stats": {"io_service": None}}]
    odd.append({"memory_stats": {"usage": True, "limit": -1}, "networks": {"a": None}, "cpu_stats": {"cpu_usage": 1}})
    for stats in odd:
        assert usage_of(stats) == Usage()


def test_a_single_reading_is_held_against_the_one_before() -> None:
    single = {"cpu_stats": V1["cpu_stats"], "precpu_stats": {"cpu_usage": {"total_usage": 0}}}
    assert usage_of(with_reading_before(single, None)).cpu_percent is None
    assert usage_of(with_reading_before(single, V1["precpu_stats"])).cpu_percent == 40.0
    assert usage_of(with_reading_before(V1, {"system_cpu_usage": 19_999})).cpu_percent == 40.0
    later = {"cpu_usage": {"total_usage": 9_000}, "system_cpu_usage": 10_000}
    assert usage_of(with_reading_before(single, later)).cpu_percent is None, "it was started anew"
