"""Does the broker refuse to start when anything about the plugin is in doubt, and say what?"""
import sqlite3

from broker import *


def refuses(what, rows=None, prepare=None, **options):
    with Broker(rows, start=False, **options) as b:
        if prepare:
            prepare(b)
        b.run()
        assert b.exit_code() != 0
        assert "start_refused" in b.read_log() and what in b.read_log(), b.read_log()


def missing_database_names_the_command_that_makes_one():
    refuses("run vestibule-ctl init")


def missing_store_option_stops_the_start():
    refuses("plugin_opt_store is missing", street(), store=None)


def unknown_option_stops_the_start():
    refuses("plugin_opt_agency is not an option", street(), agency="on")


def option_outside_its_words_stops_the_start():
    refuses("plugin_opt_agencies must be on or off", street(), agencies="true")


def short_release_tick_needs_demo():
    refuses("plugin_opt_release_tick must be at least 300", street(), release_tick=299)
    with Broker(street(), release_tick=300):
        pass
    with Broker(street(), release_tick=1, demo="true"):
        pass


def repeated_option_stops_the_start():
    refuses("plugin_opt_demo is given twice", street(), demo="true\nplugin_opt_demo true")


def corrupt_database_stops_the_start():
    def spoil(b):
        with open(b.db, "r+b") as f:
            f.seek(4096)
            f.write(os.urandom(8192))
        for tail in ("-wal", "-shm"):
            if os.path.exists(b.db + tail):
                os.unlink(b.db + tail)
    refuses("why=", street(), spoil)


def truncated_database_stops_the_start():
    refuses("why=", street(), lambda b: open(b.db, "w").close())


def alter(statement):
    def run(b):
        db = sqlite3.connect(b.db)
        with db:
            db.execute(statement)
        db.close()
    return run


def row_without_its_parent_stops_the_start():
    refuses("the store is not whole", street(), alter("DELETE FROM home WHERE id = 'maple'"))


def row_that_does_not_validate_stops_the_start():
    refuses("cell", street(), alter("UPDATE device SET cell = 'NOT A CELL'"))


def second_broker_on_the_same_database_stops():
    with Broker(street()) as first:
        with Broker(None, start=False, store=first.db) as second:
            second.run()
            assert second.exit_code() != 0
            assert "start_refused" in second.read_log(), second.read_log()


main(missing_database_names_the_command_that_makes_one, missing_store_option_stops_the_start, unknown_option_stops_the_start,
     option_outside_its_words_stops_the_start, short_release_tick_needs_demo, repeated_option_stops_the_start,
     corrupt_database_stops_the_start, truncated_database_stops_the_start, row_without_its_parent_stops_the_start,
     row_that_does_not_validate_stops_the_start, second_broker_on_the_same_database_stops)
