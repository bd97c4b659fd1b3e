"""Functions of PostgreSQL that only compute: they change nothing, wait for nothing, and read no table, file or setting.

Those that the parser knows as part of the language (count, lower, now, ...) are not listed. What is missing here and
is harmless in somebody's database is named in the configuration.
"""

_TEXT = """
    bit_count btrim char_length convert_from convert_to format_type get_byte initcap left length lpad ltrim md5
    normalize octet_length overlay parse_ident position quote_ident quote_literal quote_nullable regexp_count
    regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table
    regexp_substr repeat replace reverse right rpad rtrim set_byte sha224 sha256 sha384 sha512 split_part
    starts_with string_agg string_to_array string_to_table strpos substr substring to_ascii to_bin to_hex to_oct
    translate unistr upper word_similarity similarity unaccent
"""
_NUMBERS = """
    abs acosd asind atan2d atand cbrt ceil ceiling cosd cotd degrees div erf erfc exp factorial floor gcd lcm ln log
    log10 min_scale mod numeric_inc pi power radians random_normal round scale sign sind sqrt tand trim_scale trunc
    width_bucket
"""
_TIME = """
    age clock_timestamp date_add date_bin date_part date_subtract date_trunc extract isfinite justify_days
    justify_hours justify_interval make_date make_interval make_time make_timestamp make_timestamptz
    statement_timestamp timeofday timezone to_char to_date to_number to_timestamp transaction_timestamp
"""
_JSON = """
    array_to_json json_agg json_array json_arrayagg json_array_elements json_array_elements_text json_array_length
    json_build_array json_build_object json_each json_each_text json_extract_path json_extract_path_text json_exists
    json_object json_object_agg json_object_keys json_objectagg json_populate_record json_populate_recordset
    json_query json_scalar json_value json_serialize json_strip_nulls json_to_record json_to_recordset json_typeof
    jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object
    jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg
    jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array
    jsonb_path_query_first jsonb_populate_record jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax
    jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof row_to_json to_json to_jsonb
"""
_ARRAYS_AND_RANGES = """
    array_agg array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position
    array_positions array_prepend array_remove array_replace array_sample array_shuffle array_to_string array_upper
    cardinality daterange int4multirange int4range int8multirange int8range isempty lower_inc lower_inf multirange
    numrange nummultirange range_agg range_intersect_agg range_merge trim_array tsrange tstzrange upper_inc
    upper_inf
"""
_AGGREGATES_AND_WINDOWS = """
    bit_and bit_or bit_xor bool_and bool_or corr covar_pop covar_samp cume_dist dense_rank every first_value
    generate_subscripts grouping lag last_value lead mode nth_value ntile num_nonnulls num_nulls percent_rank
    percentile_cont percentile_disc rank row regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope
    regr_sxx regr_sxy regr_syy row_number stddev stddev_pop stddev_samp var_pop var_samp variance
"""
_SEARCH_AND_NETWORK = """
    abbrev array_to_tsvector broadcast family host hostmask inet_merge inet_same_family macaddr8_set7bit masklen
    netmask network numnode phraseto_tsquery plainto_tsquery querytree set_masklen setweight strip to_tsquery
    to_tsvector ts_delete ts_filter ts_headline ts_rank ts_rank_cd tsquery_phrase tsvector_to_array
    websearch_to_tsquery uuidv4 uuidv7 uuid_extract_timestamp uuid_extract_version
"""

HARMLESS = frozenset(
    " ".join((_TEXT, _NUMBERS, _TIME, _JSON, _ARRAYS_AND_RANGES, _AGGREGATES_AND_WINDOWS, _SEARCH_AND_NETWORK)).split()
)
