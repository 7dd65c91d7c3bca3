"""The catalogue of faults, a line each, and the tests that try it: docs/faults.md is made of it.

What happens is said in the names of the tests, so the table says nothing that no test asserts. `WIRE` is the crawl of
all misbehaving hosts, whose own table follows in the document.
"""

import ast
import os
from functools import cache
from pathlib import Path

from tests.faults.cases import FAULTS

TESTS = Path(__file__).parents[1]
WIRE = "faults/test_origin.py::test_a_fault_ends_as_it_should"
MIXTURES = "faults/test_mixtures.py::test_any_mixture_of_faults_sums"

SECTIONS = {
    1: "The wire",
    2: "Addresses",
    3: "Discovery",
    4: "robots.txt and rights",
    5: "Content",
    6: "Processes, disks, clocks",
}

LINES: dict[str, tuple[str, list[str]]] = {
    "1.1": ("a host that accepts and never answers", [WIRE, "faults/test_origin.py::test_a_dead_host_costs_a_bounded_time"]),
    "1.2": ("header or body in drops", [WIRE, "faults/test_origin.py::test_a_drip_ends_before_its_deadline"]),
    "1.3": ("a body without an end, or of an announced length beyond all measure", [WIRE, "faults/test_origin.py::test_the_bounds_hold"]),
    "1.4": ("resets, short bodies, cut chunks, empty answers, garbage, floods of headers", [WIRE, MIXTURES, "faults/test_origin.py::test_each_attempt_has_its_reason", "faults/test_origin.py::test_no_answer_is_taken_for_another"]),
    "1.5": ("bombs in gzip, brotli, zstd, and one coding in another", [WIRE, "extraction/test_decoding.py::test_a_bomb_is_cut_while_it_unfolds", "extraction/test_decoding.py::test_layers_are_bounded"]),
    "1.6": ("gzip cut in the middle, a body that only claims its coding, an unknown coding", [WIRE, "extraction/test_decoding.py::test_a_compressed_body_cut_in_the_middle_is_truncated", "extraction/test_decoding.py::test_a_readable_body_is_used_though_its_header_lies", "extraction/test_decoding.py::test_noise_under_a_coding_is_undecodable"]),
    "1.7": ("refused connections, names that nobody knows, certificates that do not hold", ["spiders/test_ends.py::test_hosts_that_cannot_be_reached_have_their_own_ends", "faults/test_origin.py::test_a_certificate_that_does_not_hold_is_an_end"]),
    "1.8": ("redirects of every kind and to every place", [WIRE, "spiders/test_verdict.py::test_a_redirect_is_followed_within_the_site_only", "spiders/test_verdict.py::test_a_chain_of_redirects_has_an_end", "spiders/test_ends.py::test_every_discovered_url_has_its_end"]),
    "1.9": ("statuses, with and without Retry-After", [WIRE, "spiders/test_verdict.py::test_each_status_has_its_outcome", "spiders/test_verdict.py::test_retry_after_is_read_and_capped", "faults/test_fifty_hosts.py::test_a_host_is_left_alone_for_as_long_as_it_asks", "extraction/test_pageclass.py::test_a_missing_page_at_status_200_is_an_error_page"]),
    "1.10": ("validators that mean nothing: 304 unasked, the same body again, changing ETags", [WIRE, "storage/test_load.py::test_an_answer_not_modified_is_unchanged", "extraction/test_article.py::test_content_hash_hears_words_not_ornament", "faults/test_clock.py::test_the_text_decides_and_not_what_a_server_says_of_it", "spiders/test_sources.py::test_what_the_store_knows_is_not_fetched_again"]),
    "1.11": ("cookies wanted, login walls, challenges of bots", [WIRE, "extraction/test_pageclass.py::test_challenges_logins_maintenance_and_parking_are_error_pages"]),
    "2.1": ("schemes other than http and https, wherever a URL may stand", [WIRE, "extraction/test_urls.py::test_other_schemes_are_refused_by_name", "spiders/test_discovery.py::test_what_is_no_article_of_the_site_is_refused_with_its_outcome"]),
    "2.2": ("addresses that no crawl may reach, in every spelling, by name and by redirect", [WIRE, "spiders/test_guard.py::test_an_address_that_is_not_public_is_refused", "spiders/test_guard.py::test_other_spellings_of_an_address_are_the_address", "spiders/test_guard.py::test_no_socket_is_made_for_a_refused_address", "spiders/test_ends.py::test_a_redirect_to_a_refused_address_is_refused_where_it_connects", "spiders/test_rendered.py::test_nothing_goes_out_but_through_the_crawl", "spiders/test_ends.py::test_of_a_hosts_addresses_only_those_that_are_allowed_are_reached"]),
    "2.3": ("odd URLs: user information, ports, lengths, control characters, scripts, dots, percent signs", [WIRE, "extraction/test_urls.py::test_spellings_of_one_resource_have_one_form", "extraction/test_urls.py::test_what_is_no_url_says_why"]),
    "2.4": ("session ids, tracking parameters, twins of an article", ["extraction/test_urls.py::test_twins_of_an_article_share_its_key", "extraction/test_urls.py::test_different_articles_keep_different_keys"]),
    "2.5": ("a canonical URL that points elsewhere", ["extraction/test_metadata.py::test_the_canonical_url_is_the_one_that_the_page_names", "extraction/test_article.py::test_canonical_url_of_the_same_site_is_the_articles_address"]),
    "3.1": ("feeds and sitemaps that are broken, cut, of a wrong charset, HTML, empty, huge", ["spiders/test_discovery_faults.py::test_a_broken_feed_yields_all_its_entries", "spiders/test_discovery_faults.py::test_titles_survive_every_charset", "spiders/test_discovery_faults.py::test_a_cut_feed_yields_what_came", "spiders/test_discovery_faults.py::test_what_is_no_source_has_an_outcome", "spiders/test_discovery_faults.py::test_gzip_is_told_by_its_bytes", "spiders/test_discovery_faults.py::test_fifty_thousand_urls_are_read_within_bounds", "spiders/test_discovery_crawl.py::test_hostile_sources_cost_a_good_one_nothing", "spiders/test_odd_sources.py::test_a_source_of_odd_markup_is_read_all_the_same", "spiders/test_discovery_faults.py::test_hostile_masses_end_in_time"]),
    "3.2": ("entities that name files, hosts, or each other a billion times", ["spiders/test_discovery_faults.py::test_entities_are_never_expanded_and_cost_no_entry", "spiders/test_discovery_faults.py::test_an_entity_in_a_url_makes_that_url_another_and_no_request"]),
    "3.3": ("sitemap indexes that name themselves, grow for ever, are nested too deep", ["spiders/test_discovery_crawl.py::test_a_tree_of_sitemaps_that_never_ends_is_bounded_and_told", "spiders/test_discovery_crawl.py::test_no_more_than_a_thousand_sitemaps_of_a_site_are_read", "spiders/test_sources.py::test_sitemaps_are_read_to_their_ends"]),
    "3.4": ("URLs in a feed that are off-site, advertising, no article", ["spiders/test_discovery.py::test_what_is_no_article_of_the_site_is_refused_with_its_outcome", "spiders/test_discovery.py::test_only_a_label_makes_a_title_an_advertisement"]),
    "3.5": ("dates of sources that lie, or are missing", ["spiders/test_discovery.py::test_a_lastmod_that_lies_is_told_and_not_kept", "spiders/test_discovery.py::test_one_entry_of_the_future_costs_only_its_own_date", "spiders/test_discovery.py::test_an_index_is_caught_by_a_child_that_is_newer_than_it_says", "extraction/test_dates.py::test_dates_are_read_as_they_are_written", "spiders/test_sources.py::test_sitemaps_are_read_to_their_ends"]),
    "3.6": ("calendars, growing query strings, one page under many names", ["spiders/test_discovery_faults.py::test_a_calendar_is_a_trap", "spiders/test_discovery_faults.py::test_articles_that_differ_by_their_number_in_the_query_are_no_trap", "spiders/test_discovery_faults.py::test_more_than_the_bound_is_cut_and_told", "spiders/test_discovery_faults.py::test_a_hostile_page_still_yields_its_link_in_time"]),
    "3.7": ("a feed that suddenly yields nothing, or ten times as much", ["flows/test_summary.py::test_a_source_that_falls_silent_or_bursts_is_a_problem_of_the_run", "spiders/test_sources.py::test_pending_urls_and_limits"]),
    "4.1": ("robots.txt that cannot be had", [WIRE, "spiders/test_manners.py::test_robots_decides_by_its_status", "spiders/test_manners.py::test_robots_is_kept_for_a_day_and_beyond_while_unreachable"]),
    "4.2": ("robots.txt that is refused or not there", [WIRE, "spiders/test_robots.py::test_an_unavailable_file_forbids_nothing"]),
    "4.3": ("robots.txt that is redirected: five times, six times, to another host, to a private address", [WIRE, "spiders/test_ends.py::test_a_redirect_to_a_refused_address_is_refused_where_it_connects"]),
    "4.4": ("robots.txt that is huge, HTML, full of NULs, in UTF-16, or made of patterns that explode", [WIRE, "spiders/test_robots.py::test_only_the_first_500_kib_count", "spiders/test_robots.py::test_a_hostile_file_costs_less_than_a_second", "spiders/test_robots.py::test_a_file_in_utf_16_is_read", "spiders/test_robots.py::test_nul_bytes_do_not_hide_a_rule"]),
    "4.5": ("Crawl-delay of any text; groups, longest matches", [WIRE, "spiders/test_robots.py::test_crawl_delay_is_taken_within_reason", "spiders/test_robots.py::test_the_rules_of_the_file_hold", "faults/test_fifty_hosts.py::test_never_closer_than_the_delay", "spiders/test_manners.py::test_crawl_delay_holds"]),
    "4.6": ("what a site says of use: noindex, Content-Signal, TDM reservations, RSL", [WIRE, "spiders/test_terms.py::test_robots_directives_are_heeded_wherever_they_stand", "spiders/test_terms_crawl.py::test_terms_are_read_before_the_first_page_and_stand_with_each", "spiders/test_robots.py::test_rights_are_read_from_the_file", "spiders/test_terms_crawl.py::test_noindex_in_the_page_is_never_captured", "spiders/test_terms_crawl.py::test_links_of_a_nofollow_section_are_left", "spiders/test_terms_crawl.py::test_a_page_that_names_its_own_licence_is_kept_only_by_it"]),
    "5.1": ("charsets: declared wrongly, not at all, mixed", ["extraction/test_charset.py::test_the_text_is_right_whatever_was_declared", "extraction/test_charset.py::test_what_was_declared_is_kept_as_evidence", "extraction/test_charset.py::test_utf7_is_never_decoded", "extraction/test_charset.py::test_stray_bytes_in_utf8_are_mended_and_flagged", "extraction/test_charset.py::test_replacement_characters_in_the_source_are_doubted"]),
    "5.2": ("control characters, escapes, bidi overrides, unpaired surrogates, decomposed letters", ["extraction/test_boilerplate.py::test_tidy_text_is_stable_and_safe", "extraction/test_page.py::test_control_characters_do_not_end_the_text", "storage/test_rows.py::test_an_unpaired_surrogate_does_not_stop_a_page", "flows/test_cli.py::test_hostile_text_is_inert"]),
    "5.3": ("nesting, lines, words, scripts and numbers of tags beyond all measure", ["extraction/test_article.py::test_huge_pages_end_within_ten_seconds_of_cpu", "extraction/test_page.py::test_a_thousand_levels_lose_nothing", "extraction/test_page.py::test_big_pieces_are_read_to_the_end_in_seconds", "extraction/test_extremes.py::test_a_line_of_ten_megabytes_is_kept_to_its_last_word", "flows/test_pool.py::test_a_page_that_takes_too_long_is_an_outcome", "flows/test_pool.py::test_a_page_that_takes_all_memory_costs_itself_alone"]),
    "5.4": ("bodies that are not what their type says", ["extraction/test_page.py::test_nothing_is_empty", "extraction/test_page.py::test_what_is_no_html_is_named_whatever_its_type_says", "extraction/test_page.py::test_html_of_a_wrong_type_is_still_read"]),
    "5.5": ("pages that are no article: shells, walls, stubs, errors at status 200", ["extraction/test_pageclass.py::test_a_shell_without_its_scripts_is_script_only", "extraction/test_pageclass.py::test_a_page_that_only_asks_for_consent_is_a_consent_wall", "extraction/test_pageclass.py::test_a_stub_before_a_paywall_is_a_paywall", "extraction/test_pageclass.py::test_a_missing_page_at_status_200_is_an_error_page"]),
    "5.6": ("markup, formulas and masses in titles and authors", ["extraction/test_metadata.py::test_hostile_values_are_data", "extraction/test_headline.py::test_a_huge_title_is_cut", "extraction/test_authors.py::test_thousands_of_authors_are_bounded", "flows/test_report.py::test_hostile_text_is_inert_in_the_terminal", "flows/test_report.py::test_hostile_text_is_inert_in_markdown"]),
    "5.7": ("dates that cannot be, disagree, or name no zone", ["extraction/test_dates.py::test_what_names_no_possible_day_is_no_date", "extraction/test_metadata.py::test_dates_that_contradict_each_other_are_flagged", "extraction/test_metadata.py::test_impossible_dates_are_evidence_and_nothing_more", "extraction/test_dates.py::test_dates_are_read_as_they_are_written", "extraction/test_dates.py::test_a_date_after_the_fetch_is_refused"]),
    "5.8": ("JSON-LD that is broken, huge, of wrong types, of itself", ["extraction/test_jsonld.py::test_an_article_is_found_in_broken_and_nested_scripts", "extraction/test_jsonld.py::test_one_broken_script_does_not_hide_the_others", "extraction/test_jsonld.py::test_ten_megabytes_are_left_out", "extraction/test_jsonld.py::test_a_reference_that_names_itself_ends"]),
    "5.9": ("several articles on one page, live blogs, twins", ["extraction/test_metadata.py::test_several_articles_on_one_page_are_told_apart", "extraction/test_article.py::test_live_blog_is_its_posts_with_their_times"]),
    "5.10": ("the same page thousands of times through one worker", ["extraction/test_article.py::test_same_page_gives_the_same_extraction_each_time", "extraction/test_limits.py::test_a_worker_that_never_ends_stays_flat_and_keeps_its_results"]),
    "6.1": ("told to stop: SIGTERM, SIGINT, twice, from the interface", ["spiders/test_child.py::test_told_to_stop_it_keeps_what_it_has", "spiders/test_child.py::test_a_request_under_way_does_not_hold_up_the_end", "spiders/test_child.py::test_a_second_signal_ends_it_at_once", "flows/test_crash.py::test_a_run_that_is_told_to_stop_keeps_what_it_fetched", "flows/test_up.py::test_a_cancelled_run_keeps_what_it_fetched"]),
    "6.2": ("SIGKILL of spider, worker, loader, run, or all at once, at any moment", ["faults/test_killed.py::test_whatever_is_killed_and_when_the_store_ends_the_same", "faults/test_twice.py::test_a_spider_killed_at_any_moment_loses_nothing", "spiders/test_child.py::test_killed_it_loses_nothing_that_was_written", "flows/test_pool.py::test_a_killed_worker_costs_one_page_at_most", "flows/test_pool.py::test_a_page_under_which_two_workers_are_killed_is_an_outcome", "storage/test_crash.py::test_killed_at_any_moment_of_load_and_publish_nothing_is_lost_or_doubled", "flows/test_crash.py::test_a_killed_run_is_made_good_by_the_next", "flows/test_takedown.py::test_a_takedown_that_is_killed_goes_on", "flows/test_importing.py::test_a_killed_import_goes_on", "flows/test_up.py::test_a_killed_worker_leaves_nothing_running", "flows/test_up.py::test_a_killed_server_is_started_again_and_the_run_goes_on", "flows/test_up.py::test_a_machine_that_lost_its_power_goes_on"]),
    "6.3": ("the parent is gone", ["spiders/test_child.py::test_told_to_stop_it_keeps_what_it_has", "flows/test_crash.py::test_a_killed_run_is_made_good_by_the_next", "flows/test_lease.py::test_a_host_stays_taken_while_a_child_that_inherited_it_lives"]),
    "6.4": ("disk full at each stage, read-only, of somebody else, gone", ["faults/test_disk.py::test_each_stage_that_finds_the_disk_full_says_so_and_goes_on_with_room", "faults/test_disk.py::test_a_spider_that_cannot_write_ends_with_one_line", "faults/test_disk.py::test_a_folder_of_somebody_else_is_named", "spiders/test_child.py::test_a_full_disk_ends_the_crawl_with_a_clear_error", "faults/test_disk.py::test_prefects_database_without_room_is_named", "storage/test_full_disk.py::test_the_disk_fills_at_any_point_of_a_load_and_nothing_is_lost", "storage/test_full_disk.py::test_the_disk_fills_under_a_takedown_and_it_goes_on", "faults/test_disk.py::test_a_quota_that_is_spent_is_named_and_nothing_is_lost", "faults/test_disk.py::test_prefects_database_that_finds_no_room_amid_a_run_loses_nothing"]),
    "6.5": ("torn, flipped, empty and foreign files", ["spiders/test_captures.py::test_a_torn_tail_is_cut", "spiders/test_captures.py::test_a_flipped_bit_costs_one_page", "spiders/test_captures.py::test_a_foreign_file_has_no_pages", "storage/test_load.py::test_a_damaged_folder_is_set_aside_and_named", "storage/test_database.py::test_a_damaged_store_is_named"]),
    "6.6": ("a worker that dies in C code, has no memory left, or never ends", ["flows/test_pool.py::test_a_killed_worker_costs_one_page_at_most", "flows/test_pool.py::test_a_page_that_takes_all_memory_costs_itself_alone", "flows/test_pool.py::test_a_page_that_takes_too_long_is_an_outcome", "flows/test_pool.py::test_a_page_under_which_two_workers_are_killed_is_an_outcome"]),
    "6.7": ("a poor machine: few descriptors, no /tmp, no HOME, ASCII, no network, closed pipes", ["faults/test_limits.py::test_few_file_descriptors_are_no_fault_of_the_hosts", "faults/test_limits.py::test_a_bare_environment_is_enough", "faults/test_limits.py::test_without_any_network_each_url_says_so", "spiders/test_child.py::test_a_parent_that_does_not_read_does_not_hold_up_the_crawl", "flows/test_cli.py::test_a_closed_pipe_is_no_error", "faults/test_limits.py::test_the_whole_line_works_in_a_bare_environment"]),
    "6.8": ("clocks that step, summer time, leap days, a machine that slept", ["faults/test_clock.py::test_a_clock_that_steps_amid_a_crawl_changes_nothing", "faults/test_clock.py::test_runs_under_different_clocks_lose_and_double_nothing", "faults/test_clock.py::test_the_schedule_fires_once_on_every_night", "flows/test_up.py::test_the_schedule_is_that_of_the_settings", "flows/test_up.py::test_the_nightly_hour_survives_the_change_of_the_clocks", "flows/test_up.py::test_a_machine_that_was_off_catches_up_with_one_run"]),
    "6.9": ("two runs at once", ["faults/test_twice.py::test_two_runs_at_once_take_turns", "faults/test_turns.py::test_two_shards_take_turns_at_a_host_that_both_need", "flows/test_lease.py::test_a_host_is_held_once_and_free_again_afterwards", "storage/test_crash.py::test_loaders_queue", "flows/test_up.py::test_two_machines_hold_a_host_one_after_the_other"]),
    "6.10": ("older and newer stores, killed migrations", ["storage/test_database.py::test_a_newer_store_is_refused_and_left_alone", "storage/test_database.py::test_an_older_store_with_rows_is_upgraded", "storage/test_crash.py::test_a_migration_killed_half_way_is_done_again", "storage/test_load.py::test_rows_that_an_older_program_extracted_are_loaded_beside_new_ones"]),
    "6.11": ("readers that stay, many at once", ["storage/test_crash.py::test_a_reader_keeps_the_copy_that_it_has_open", "storage/test_readers.py::test_readers_never_meet_an_error_or_half_a_load"]),
}  # fmt: skip


def table() -> str:
    """Return the catalogue as Markdown, a table a section."""
    parts = []
    for number, title in SECTIONS.items():
        rows = [_row(line, *LINES[line]) for line in LINES if line.startswith(f"{number}.")]
        parts.append(f"## {number}. {title}\n\n| | fault | what happens |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(line: str, what: str, tests: list[str]) -> str:
    ends = [_hosts(line) if test == WIRE else sentence(test) for test in tests]
    return f"| {line} | {what} | {'; '.join(ends)} |"


def _hosts(line: str) -> str:
    """Return the ends of the hosts that stand for a line."""
    ends = dict.fromkeys(f"`{fault.end}`" for fault in FAULTS.values() if fault.what.startswith(f"{line} "))
    assert ends, f"no host stands for {line}"
    return f"[ends as {', '.join(ends)}](#the-table-of-hosts)"


def sentence(test: str) -> str:
    """Return what a test says is true, by its name, with a link to its file. Raises KeyError where there is no such test."""
    path, _, name = test.partition("::")
    if name not in _names(path):
        raise KeyError(f"tests/{path} has no {name}: the catalogue of faults is to name another")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../tests/{path})"


@cache
def _names(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def documented(document: Path, part: str, text: str) -> None:
    """Hold a generated part of a document, between its two comments, against what it must be, or write it so."""
    marks = f"<!-- {part} -->\n", f"<!-- end of {part} -->\n"
    before, _, rest = document.read_text("utf-8").partition(marks[0])
    stands, found, after = rest.partition(marks[1])
    assert found, f"{document} has no part {part}"
    if os.environ.get("WRITE_DOCS"):
        document.write_text(before + marks[0] + text + marks[1] + after, "utf-8")
        return
    assert stands == text, f"{document} is behind: WRITE_DOCS=1 pytest tests/faults writes it"
