-- What a later release may do to the tables while workers of this one go on: columns that may be missing, a table, an
-- index, and fields of its own in what it stores as JSON.
do $$
declare
    name text;
begin
    foreach name in array array[
        'cases', 'approvals', 'decisions', 'intents', 'order_balances', 'watches', 'audit', 'inbox', 'dead_letters',
        'notification_endpoints', 'reviewers', 'orders', 'customers', 'ledger_entries', 'outbox', 'notifications'
    ] loop
        execute format('alter table %I add column of_a_later_release text', name);
    end loop;
end $$;

create table of_a_later_release (name text primary key);
create index cases_of_a_later_release on cases (of_a_later_release);
insert into signoff_migrations (number, name) values (9999, '9999_of_a_later_release.sql');

create function add_a_field() returns trigger language plpgsql as $$
begin
    new.body := new.body || '{"of_a_later_release": {"field": [1, 2]}}';
    return new;
end $$;
create trigger add_a_field before insert on cases for each row execute function add_a_field();
create trigger add_a_field before insert on approvals for each row execute function add_a_field();
create trigger add_a_field before insert on intents for each row execute function add_a_field();
