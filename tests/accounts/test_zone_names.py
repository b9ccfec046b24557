"""The list of time zones: each place once, in the language of the page."""

from django.utils.translation import override

from accounts import days, zone_names


def offered(stored: str = "UTC") -> dict[str, str]:
    """Return the labels of the offered zones by name, in the language in force."""
    flat = {}
    for value, label in zone_names.zone_choices(stored):
        flat.update(dict(label) if isinstance(label, list) else {value: str(label)})
    return flat


def test_each_place_is_offered_once_under_its_present_name():
    labels = offered()
    assert {"Asia/Kolkata", "Europe/Kyiv", "Asia/Ho_Chi_Minh", "America/Argentina/Buenos_Aires"} <= labels.keys()
    assert not {"Asia/Calcutta", "Europe/Kiev", "Asia/Saigon", "America/Buenos_Aires", "Australia/NSW"} & labels.keys()
    assert labels["America/Argentina/Buenos_Aires"] == "Argentina, Buenos Aires"
    assert labels.keys() <= days.known_zones()


def test_chinese_pages_name_every_zone_in_chinese():
    with override("zh-hans"):
        labels = offered()
        regions = [str(region) for region, zones in zone_names.zone_choices("UTC") if isinstance(zones, list)]
    assert labels["Asia/Shanghai"] == "上海（Shanghai）"
    assert all("\u4e00" <= label[0] <= "\u9fff" for zone, label in labels.items() if zone != "UTC"), labels
    assert regions[:5] == ["非洲", "美洲", "南极洲", "北极", "亚洲"]


def test_an_old_name_that_a_browser_stored_stays_choosable():
    first, second = zone_names.zone_choices("Asia/Calcutta")[:2]
    assert (first, second) == (("Asia/Calcutta", "Calcutta"), ("UTC", "UTC"))
    with override("zh-hans"):
        assert zone_names.label("Asia/Calcutta") == "加尔各答（Calcutta）"
