-- The figures that a decision may depend on besides its own case. Each question is a row that knows its `place`.

-- name: watches
select key, version from watches where key = any(%(keys)s::text[])

-- name: exposure
-- A case that came to nothing was asked for all the same, so it is counted; it adds nothing to a sum.
select asked.place, 'customer' as whose, figure.currency, figure.cases, figure.amount_minor
from json_to_recordset(%(rows)s::json) as asked (place integer, exception_id text, customer_id text, seconds float)
cross join lateral (
    select
        currency,
        count(*) as cases,
        sum(amount_minor) filter (where state not in ('rejected', 'expired', 'withdrawn', 'failed')) as amount_minor
    from cases
    where
        customer_id = asked.customer_id
        and opened_at > now() - make_interval(secs => asked.seconds)
        and exception_id <> asked.exception_id
    group by currency
) as figure
union all
select asked.place, 'order' as whose, figure.currency, figure.cases, figure.amount_minor
from json_to_recordset(%(rows)s::json) as asked (place integer, exception_id text, order_id text, seconds float)
cross join lateral (
    select
        currency,
        count(*) as cases,
        sum(amount_minor) filter (where state not in ('rejected', 'expired', 'withdrawn', 'failed')) as amount_minor
    from cases
    where
        order_id = asked.order_id
        and opened_at > now() - make_interval(secs => asked.seconds)
        and exception_id <> asked.exception_id
    group by currency
) as figure

-- name: near_duplicates
select asked.place, twin.*
from json_to_recordset(%(rows)s::json) as asked (
    place integer, exception_id text, order_id text, kind text, amount_minor bigint, currency text, seconds float
)
cross join lateral (
    select case_id, exception_id, state, amount_minor, currency, opened_at
    from cases
    where
        order_id = asked.order_id
        and opened_at > now() - make_interval(secs => asked.seconds)
        and exception_id <> asked.exception_id
        and kind = asked.kind
        and (finished_at is null or state = 'executed')
        and (asked.amount_minor is null or (amount_minor, currency) = (asked.amount_minor, asked.currency))
    order by opened_at desc, case_id desc
    limit 10
) as twin
order by asked.place, twin.opened_at desc, twin.case_id desc

-- name: signed
select asked.place, signed.currency, signed.amount_minor
from json_to_recordset(%(rows)s::json) as asked (place integer, reviewer_key text, seconds float)
cross join lateral (
    select currency, sum(amount_minor) as amount_minor
    from decisions
    where
        reviewer_key = asked.reviewer_key
        and received_at > now() - make_interval(secs => asked.seconds)
        and code in ('ACCEPTED', 'RECORDED')
        and amount_minor is not null
        and verdict in ('approve', 'modify', 'choose')
    group by currency
) as signed
