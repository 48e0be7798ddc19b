--
-- PostgreSQL database dump
--


-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: refuse_change(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  RAISE EXCEPTION 'append-only: % on % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';
END $$;


--
-- Name: refuse_closed_day(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.refuse_closed_day() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM day WHERE agency_id = NEW.agency_id
             AND booked_on = NEW.booked_on AND state = 'closed') THEN
    RAISE EXCEPTION 'the day % is closed', NEW.booked_on
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'day_closed';
  END IF;
  RETURN NEW;
END $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: agency; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.agency (
    id text NOT NULL,
    name text NOT NULL,
    tax_code text NOT NULL,
    address text NOT NULL,
    budget_chapter text NOT NULL,
    is_sandbox boolean NOT NULL,
    settings jsonb NOT NULL
);


--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: allocation; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.allocation (
    agency_id text NOT NULL,
    capture_id text NOT NULL,
    payment_id text NOT NULL,
    use text NOT NULL,
    amount bigint NOT NULL,
    CONSTRAINT ck_allocation_amount CHECK ((amount > 0))
);


--
-- Name: attempt; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.attempt (
    agency_id text NOT NULL,
    id text NOT NULL,
    serial bigint NOT NULL,
    provider text NOT NULL,
    account text NOT NULL,
    provider_reference text NOT NULL,
    state text NOT NULL,
    amount bigint NOT NULL,
    redirect_url text,
    qr_text text,
    payer_address text NOT NULL,
    locale text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ask_at timestamp with time zone,
    asked integer NOT NULL,
    CONSTRAINT ck_attempt_amount CHECK ((amount > 0)),
    CONSTRAINT ck_attempt_state CHECK ((state = ANY (ARRAY['started'::text, 'redirected'::text, 'in_doubt'::text, 'captured'::text, 'declined'::text, 'cancelled'::text, 'expired'::text])))
);


--
-- Name: attempt_serial_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.attempt ALTER COLUMN serial ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.attempt_serial_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: attempt_share; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.attempt_share (
    agency_id text NOT NULL,
    attempt_id text NOT NULL,
    payment_id text NOT NULL,
    amount bigint NOT NULL,
    CONSTRAINT ck_attempt_share_amount CHECK ((amount > 0))
);


--
-- Name: audit; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit (
    id text NOT NULL,
    at timestamp with time zone NOT NULL,
    agency_id text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object_id text NOT NULL,
    details jsonb NOT NULL
)
PARTITION BY RANGE (at);


--
-- Name: audit_default; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_default (
    id text CONSTRAINT audit_id_not_null NOT NULL,
    at timestamp with time zone CONSTRAINT audit_at_not_null NOT NULL,
    agency_id text CONSTRAINT audit_agency_id_not_null NOT NULL,
    actor text CONSTRAINT audit_actor_not_null NOT NULL,
    action text CONSTRAINT audit_action_not_null NOT NULL,
    object_id text CONSTRAINT audit_object_id_not_null NOT NULL,
    details jsonb CONSTRAINT audit_details_not_null NOT NULL
);


--
-- Name: branch; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.branch (
    agency_id text NOT NULL,
    id text NOT NULL,
    name text NOT NULL
);


--
-- Name: break; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.break (
    agency_id text NOT NULL,
    id text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    subject text NOT NULL,
    amount bigint NOT NULL,
    payment_id text,
    capture_id text,
    line_id text,
    proposal text,
    why text NOT NULL,
    owner_role text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    since_on date NOT NULL,
    resolved_at timestamp with time zone,
    resolution text,
    CONSTRAINT ck_break_state CHECK ((state = ANY (ARRAY['open'::text, 'resolved'::text])))
);


--
-- Name: capture; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.capture (
    agency_id text NOT NULL,
    id text NOT NULL,
    provider text NOT NULL,
    account text NOT NULL,
    txn_id text NOT NULL,
    attempt_id text,
    amount bigint NOT NULL,
    result text NOT NULL,
    booked_on date NOT NULL,
    value_on date NOT NULL,
    paid_at timestamp with time zone NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    movement_key text,
    bank_reference text,
    CONSTRAINT ck_capture_amount CHECK ((amount > 0))
);


--
-- Name: client; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.client (
    agency_id text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    may_price boolean NOT NULL,
    return_origins text[] NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: client_key; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.client_key (
    key_hash text NOT NULL,
    agency_id text NOT NULL,
    client_id text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);


--
-- Name: day; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.day (
    agency_id text NOT NULL,
    booked_on date NOT NULL,
    state text NOT NULL,
    closed_by text NOT NULL,
    closed_at timestamp with time zone NOT NULL,
    run_id text,
    seal text NOT NULL,
    CONSTRAINT ck_day_state CHECK ((state = ANY (ARRAY['closed'::text, 'reopened'::text])))
);


--
-- Name: delivery; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.delivery (
    agency_id text NOT NULL,
    event_id text NOT NULL,
    endpoint_id text NOT NULL,
    payment_id text,
    sequence integer NOT NULL,
    state text NOT NULL,
    tries integer NOT NULL,
    due_at timestamp with time zone NOT NULL,
    leased_until timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_delivery_state CHECK ((state = ANY (ARRAY['waiting'::text, 'done'::text, 'stuck'::text])))
);


--
-- Name: delivery_log; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.delivery_log (
    id text NOT NULL,
    at timestamp with time zone NOT NULL,
    agency_id text NOT NULL,
    event_id text NOT NULL,
    endpoint_id text NOT NULL,
    status integer,
    error text,
    took_ms integer NOT NULL
)
PARTITION BY RANGE (at);


--
-- Name: delivery_log_default; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.delivery_log_default (
    id text CONSTRAINT delivery_log_id_not_null NOT NULL,
    at timestamp with time zone CONSTRAINT delivery_log_at_not_null NOT NULL,
    agency_id text CONSTRAINT delivery_log_agency_id_not_null NOT NULL,
    event_id text CONSTRAINT delivery_log_event_id_not_null NOT NULL,
    endpoint_id text CONSTRAINT delivery_log_endpoint_id_not_null NOT NULL,
    status integer,
    error text,
    took_ms integer CONSTRAINT delivery_log_took_ms_not_null NOT NULL
);


--
-- Name: endpoint; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.endpoint (
    agency_id text NOT NULL,
    id text NOT NULL,
    client_id text NOT NULL,
    url text NOT NULL,
    secret_sealed bytea NOT NULL,
    signing_key_sealed bytea NOT NULL,
    public_key text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone
);


--
-- Name: entry; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.entry (
    agency_id text NOT NULL,
    id bigint NOT NULL,
    booked_on date NOT NULL,
    value_on date NOT NULL,
    debit text NOT NULL,
    credit text NOT NULL,
    amount bigint NOT NULL,
    voucher_kind text NOT NULL,
    voucher_id text NOT NULL,
    payment_id text,
    branch_id text,
    provider_account text,
    batch_id text,
    budget_line text,
    evidence_hash text,
    rule text NOT NULL,
    storno boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_entry_amount CHECK ((amount > 0)),
    CONSTRAINT ck_entry_two_accounts CHECK ((debit <> credit))
);


--
-- Name: entry_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.entry ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: event; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event (
    agency_id text NOT NULL,
    id text NOT NULL,
    serial bigint NOT NULL,
    type text NOT NULL,
    payment_id text,
    sequence integer NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    data jsonb NOT NULL,
    "position" bigint,
    handled_at timestamp with time zone
);


--
-- Name: event_serial_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.event ALTER COLUMN serial ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.event_serial_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: evidence; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.evidence (
    agency_id text NOT NULL,
    capture_id text NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL,
    hash text NOT NULL,
    at timestamp with time zone NOT NULL
);


--
-- Name: fee_line; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.fee_line (
    agency_id text NOT NULL,
    payment_id text NOT NULL,
    n integer NOT NULL,
    code text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    amount bigint NOT NULL,
    budget_line text NOT NULL,
    CONSTRAINT ck_fee_line_amount CHECK (((amount >= 0) AND (amount <= '1000000000000000'::bigint))),
    CONSTRAINT ck_fee_line_kind CHECK ((kind = ANY (ARRAY['phi'::text, 'le_phi'::text])))
);


--
-- Name: idempotency; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.idempotency (
    agency_id text NOT NULL,
    client_id text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash text NOT NULL,
    status integer NOT NULL,
    answer bytea NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: job_run; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.job_run (
    job text NOT NULL,
    scheduled_for timestamp with time zone NOT NULL,
    worker text NOT NULL,
    state text NOT NULL,
    leased_until timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    result text,
    CONSTRAINT ck_job_run_state CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text])))
);


--
-- Name: notice; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notice (
    id text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    agency_id text NOT NULL,
    provider text NOT NULL,
    account text NOT NULL,
    source text NOT NULL,
    sealed bytea NOT NULL,
    hash text NOT NULL
)
PARTITION BY RANGE (received_at);


--
-- Name: notice_default; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notice_default (
    id text CONSTRAINT notice_id_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT notice_received_at_not_null NOT NULL,
    agency_id text CONSTRAINT notice_agency_id_not_null NOT NULL,
    provider text CONSTRAINT notice_provider_not_null NOT NULL,
    account text CONSTRAINT notice_account_not_null NOT NULL,
    source text CONSTRAINT notice_source_not_null NOT NULL,
    sealed bytea CONSTRAINT notice_sealed_not_null NOT NULL,
    hash text CONSTRAINT notice_hash_not_null NOT NULL
);


--
-- Name: notice_work; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notice_work (
    notice_id text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    outcome text,
    capture_id text,
    tries integer NOT NULL,
    due_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_notice_work_state CHECK ((state = ANY (ARRAY['stored'::text, 'done'::text, 'refused'::text])))
);


--
-- Name: payment; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.payment (
    agency_id text NOT NULL,
    id text NOT NULL,
    reference text NOT NULL,
    branch_id text NOT NULL,
    client_id text NOT NULL,
    dossier_id text NOT NULL,
    procedure text NOT NULL,
    instalment integer NOT NULL,
    price_on date NOT NULL,
    state text NOT NULL,
    amount bigint NOT NULL,
    amount_received bigint NOT NULL,
    amount_on_account bigint NOT NULL,
    amount_suspended bigint NOT NULL,
    amount_refunded bigint NOT NULL,
    amount_settled bigint NOT NULL,
    in_doubt boolean NOT NULL,
    late boolean NOT NULL,
    payer_sealed bytea,
    return_url text,
    metadata jsonb NOT NULL,
    token text NOT NULL,
    sequence integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    paid_at timestamp with time zone,
    CONSTRAINT ck_payment_amount CHECK (((amount >= 0) AND (amount <= '1000000000000000'::bigint))),
    CONSTRAINT ck_payment_covered CHECK (((state <> ALL (ARRAY['paid'::text, 'settled'::text])) OR (amount_received = amount))),
    CONSTRAINT ck_payment_state CHECK ((state = ANY (ARRAY['open'::text, 'paid'::text, 'settled'::text, 'expired'::text, 'cancelled'::text, 'refunded'::text, 'waived'::text]))),
    CONSTRAINT ck_payment_sums CHECK (((amount_received >= 0) AND (amount_on_account >= 0) AND (amount_suspended >= 0) AND (amount_refunded >= 0) AND (amount_settled >= 0)))
);


--
-- Name: receipt; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.receipt (
    agency_id text NOT NULL,
    id text NOT NULL,
    payment_id text NOT NULL,
    kind text NOT NULL,
    form text NOT NULL,
    series text NOT NULL,
    number integer NOT NULL,
    amount bigint NOT NULL,
    issued_on date NOT NULL,
    numbered_at timestamp with time zone NOT NULL,
    signed_at timestamp with time zone,
    verify_code text NOT NULL,
    token text NOT NULL,
    salts_sealed bytea,
    content jsonb NOT NULL,
    xml bytea,
    pdf bytea,
    CONSTRAINT ck_receipt_amount CHECK ((amount > 0)),
    CONSTRAINT ck_receipt_number CHECK (((number >= 1) AND (number <= 99999999)))
);


--
-- Name: recon_match; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.recon_match (
    agency_id text NOT NULL,
    id text NOT NULL,
    run_id text NOT NULL,
    rule text NOT NULL,
    why text NOT NULL,
    capture_id text,
    line_id text NOT NULL,
    amount bigint NOT NULL
);


--
-- Name: recon_run; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.recon_run (
    agency_id text NOT NULL,
    id text NOT NULL,
    business_on date NOT NULL,
    as_of timestamp with time zone NOT NULL,
    inputs_hash text NOT NULL,
    rules_hash text NOT NULL,
    result_hash text NOT NULL,
    summary jsonb NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL
);


--
-- Name: series; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.series (
    agency_id text NOT NULL,
    branch_id text NOT NULL,
    form text NOT NULL,
    series text NOT NULL,
    last_number integer NOT NULL,
    CONSTRAINT ck_series_last_number CHECK (((last_number >= 0) AND (last_number <= 99999999)))
);


--
-- Name: sign_in_try; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sign_in_try (
    id bigint NOT NULL,
    username text NOT NULL,
    source text NOT NULL,
    at timestamp with time zone NOT NULL
);


--
-- Name: sign_in_try_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.sign_in_try ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sign_in_try_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: signing_key; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.signing_key (
    agency_id text NOT NULL,
    id text NOT NULL,
    certificate text NOT NULL,
    key_sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    retired_at timestamp with time zone
);


--
-- Name: staff; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.staff (
    agency_id text NOT NULL,
    id text NOT NULL,
    username text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    CONSTRAINT ck_staff_role CHECK ((role = ANY (ARRAY['accountant'::text, 'approver'::text, 'clerk'::text, 'operator'::text, 'auditor'::text])))
);


--
-- Name: staff_session; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.staff_session (
    token_hash text NOT NULL,
    agency_id text NOT NULL,
    staff_id text NOT NULL,
    csrf text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);


--
-- Name: statement_file; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.statement_file (
    agency_id text NOT NULL,
    id text NOT NULL,
    profile text NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    content_sealed bytea NOT NULL,
    state text NOT NULL,
    refusal text,
    line_count integer,
    line_sum bigint,
    uploaded_by text NOT NULL,
    uploaded_at timestamp with time zone NOT NULL,
    taken_at timestamp with time zone,
    CONSTRAINT ck_statement_file_state CHECK ((state = ANY (ARRAY['queued'::text, 'taken'::text, 'refused'::text])))
);


--
-- Name: statement_line; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.statement_line (
    agency_id text NOT NULL,
    id text NOT NULL,
    file_id text NOT NULL,
    line_no integer NOT NULL,
    source text NOT NULL,
    account text NOT NULL,
    line_key text NOT NULL,
    booked_on date NOT NULL,
    value_on date NOT NULL,
    kind text NOT NULL,
    gross bigint NOT NULL,
    fee bigint NOT NULL,
    net bigint NOT NULL,
    txn_id text,
    reference text,
    batch_id text,
    obligation_id text,
    budget_line text,
    memo_folded text,
    candidates text[] NOT NULL,
    CONSTRAINT ck_statement_line_source CHECK ((source = ANY (ARRAY['provider'::text, 'statement'::text, 'treasury'::text])))
);


--
-- Name: audit_default; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit ATTACH PARTITION public.audit_default DEFAULT;


--
-- Name: delivery_log_default; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery_log ATTACH PARTITION public.delivery_log_default DEFAULT;


--
-- Name: notice_default; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notice ATTACH PARTITION public.notice_default DEFAULT;


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: audit pk_audit; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (id, at);


--
-- Name: audit_default audit_default_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_default
    ADD CONSTRAINT audit_default_pkey PRIMARY KEY (id, at);


--
-- Name: delivery_log pk_delivery_log; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery_log
    ADD CONSTRAINT pk_delivery_log PRIMARY KEY (id, at);


--
-- Name: delivery_log_default delivery_log_default_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery_log_default
    ADD CONSTRAINT delivery_log_default_pkey PRIMARY KEY (id, at);


--
-- Name: notice pk_notice; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT pk_notice PRIMARY KEY (id, received_at);


--
-- Name: notice_default notice_default_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notice_default
    ADD CONSTRAINT notice_default_pkey PRIMARY KEY (id, received_at);


--
-- Name: agency pk_agency; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.agency
    ADD CONSTRAINT pk_agency PRIMARY KEY (id);


--
-- Name: allocation pk_allocation; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.allocation
    ADD CONSTRAINT pk_allocation PRIMARY KEY (agency_id, capture_id, payment_id, use);


--
-- Name: attempt pk_attempt; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT pk_attempt PRIMARY KEY (agency_id, id);


--
-- Name: attempt_share pk_attempt_share; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempt_share
    ADD CONSTRAINT pk_attempt_share PRIMARY KEY (agency_id, attempt_id, payment_id);


--
-- Name: branch pk_branch; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.branch
    ADD CONSTRAINT pk_branch PRIMARY KEY (agency_id, id);


--
-- Name: break pk_break; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.break
    ADD CONSTRAINT pk_break PRIMARY KEY (agency_id, id);


--
-- Name: capture pk_capture; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.capture
    ADD CONSTRAINT pk_capture PRIMARY KEY (agency_id, id);


--
-- Name: client pk_client; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.client
    ADD CONSTRAINT pk_client PRIMARY KEY (agency_id, id);


--
-- Name: client_key pk_client_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.client_key
    ADD CONSTRAINT pk_client_key PRIMARY KEY (key_hash);


--
-- Name: day pk_day; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.day
    ADD CONSTRAINT pk_day PRIMARY KEY (agency_id, booked_on);


--
-- Name: delivery pk_delivery; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT pk_delivery PRIMARY KEY (agency_id, event_id, endpoint_id);


--
-- Name: endpoint pk_endpoint; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.endpoint
    ADD CONSTRAINT pk_endpoint PRIMARY KEY (agency_id, id);


--
-- Name: entry pk_entry; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.entry
    ADD CONSTRAINT pk_entry PRIMARY KEY (agency_id, id);


--
-- Name: event pk_event; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT pk_event PRIMARY KEY (agency_id, id);


--
-- Name: evidence pk_evidence; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT pk_evidence PRIMARY KEY (agency_id, capture_id, source, source_id);


--
-- Name: fee_line pk_fee_line; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.fee_line
    ADD CONSTRAINT pk_fee_line PRIMARY KEY (agency_id, payment_id, n);


--
-- Name: idempotency pk_idempotency; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT pk_idempotency PRIMARY KEY (agency_id, client_id, route, key);


--
-- Name: job_run pk_job_run; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.job_run
    ADD CONSTRAINT pk_job_run PRIMARY KEY (job, scheduled_for);


--
-- Name: notice_work pk_notice_work; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notice_work
    ADD CONSTRAINT pk_notice_work PRIMARY KEY (notice_id);


--
-- Name: payment pk_payment; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT pk_payment PRIMARY KEY (agency_id, id);


--
-- Name: receipt pk_receipt; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT pk_receipt PRIMARY KEY (agency_id, id);


--
-- Name: recon_match pk_recon_match; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recon_match
    ADD CONSTRAINT pk_recon_match PRIMARY KEY (agency_id, id);


--
-- Name: recon_run pk_recon_run; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recon_run
    ADD CONSTRAINT pk_recon_run PRIMARY KEY (agency_id, id);


--
-- Name: series pk_series; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.series
    ADD CONSTRAINT pk_series PRIMARY KEY (agency_id, form, series);


--
-- Name: sign_in_try pk_sign_in_try; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sign_in_try
    ADD CONSTRAINT pk_sign_in_try PRIMARY KEY (id);


--
-- Name: signing_key pk_signing_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.signing_key
    ADD CONSTRAINT pk_signing_key PRIMARY KEY (agency_id, id);


--
-- Name: staff pk_staff; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT pk_staff PRIMARY KEY (agency_id, id);


--
-- Name: staff_session pk_staff_session; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT pk_staff_session PRIMARY KEY (token_hash);


--
-- Name: statement_file pk_statement_file; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.statement_file
    ADD CONSTRAINT pk_statement_file PRIMARY KEY (agency_id, id);


--
-- Name: statement_line pk_statement_line; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.statement_line
    ADD CONSTRAINT pk_statement_line PRIMARY KEY (agency_id, id);


--
-- Name: attempt uq_attempt_provider_account_provider_reference; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT uq_attempt_provider_account_provider_reference UNIQUE (provider, account, provider_reference);


--
-- Name: break uq_break_agency_id_kind_subject; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.break
    ADD CONSTRAINT uq_break_agency_id_kind_subject UNIQUE (agency_id, kind, subject);


--
-- Name: capture uq_capture_account_movement_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.capture
    ADD CONSTRAINT uq_capture_account_movement_key UNIQUE (account, movement_key);


--
-- Name: capture uq_capture_provider_account_txn_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.capture
    ADD CONSTRAINT uq_capture_provider_account_txn_id UNIQUE (provider, account, txn_id);


--
-- Name: event uq_event_agency_id_payment_id_sequence; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT uq_event_agency_id_payment_id_sequence UNIQUE (agency_id, payment_id, sequence);


--
-- Name: event uq_event_agency_id_position; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT uq_event_agency_id_position UNIQUE (agency_id, "position");


--
-- Name: payment uq_payment_reference; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT uq_payment_reference UNIQUE (reference);


--
-- Name: payment uq_payment_token; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT uq_payment_token UNIQUE (token);


--
-- Name: receipt uq_receipt_agency_id_form_series_number; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT uq_receipt_agency_id_form_series_number UNIQUE (agency_id, form, series, number);


--
-- Name: receipt uq_receipt_agency_id_payment_id_kind; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT uq_receipt_agency_id_payment_id_kind UNIQUE (agency_id, payment_id, kind);


--
-- Name: receipt uq_receipt_token; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT uq_receipt_token UNIQUE (token);


--
-- Name: receipt uq_receipt_verify_code; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT uq_receipt_verify_code UNIQUE (verify_code);


--
-- Name: series uq_series_agency_id_branch_id_form_series; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.series
    ADD CONSTRAINT uq_series_agency_id_branch_id_form_series UNIQUE (agency_id, branch_id, form, series);


--
-- Name: staff uq_staff_username; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT uq_staff_username UNIQUE (username);


--
-- Name: statement_file uq_statement_file_agency_id_profile_sha256; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.statement_file
    ADD CONSTRAINT uq_statement_file_agency_id_profile_sha256 UNIQUE (agency_id, profile, sha256);


--
-- Name: statement_line uq_statement_line_agency_id_source_account_line_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.statement_line
    ADD CONSTRAINT uq_statement_line_agency_id_source_account_line_key UNIQUE (agency_id, source, account, line_key);


--
-- Name: ix_audit_object; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_audit_object ON ONLY public.audit USING btree (agency_id, object_id, at);


--
-- Name: audit_default_agency_id_object_id_at_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audit_default_agency_id_object_id_at_idx ON public.audit_default USING btree (agency_id, object_id, at);


--
-- Name: ix_allocation_payment; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_allocation_payment ON public.allocation USING btree (agency_id, payment_id);


--
-- Name: ix_attempt_ask; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_attempt_ask ON public.attempt USING btree (ask_at) WHERE (ask_at IS NOT NULL);


--
-- Name: ix_attempt_share_payment; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_attempt_share_payment ON public.attempt_share USING btree (agency_id, payment_id);


--
-- Name: ix_break_open; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_break_open ON public.break USING btree (agency_id, since_on) WHERE (state = 'open'::text);


--
-- Name: ix_capture_attempt; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_capture_attempt ON public.capture USING btree (agency_id, attempt_id);


--
-- Name: ix_capture_booked; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_capture_booked ON public.capture USING btree (agency_id, booked_on);


--
-- Name: ix_delivery_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_delivery_due ON public.delivery USING btree (due_at) WHERE (state = 'waiting'::text);


--
-- Name: ix_delivery_head; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_delivery_head ON public.delivery USING btree (endpoint_id, payment_id, sequence);


--
-- Name: ix_entry_day; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_entry_day ON public.entry USING btree (agency_id, booked_on);


--
-- Name: ix_entry_payment; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_entry_payment ON public.entry USING btree (agency_id, payment_id);


--
-- Name: ix_entry_voucher; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_entry_voucher ON public.entry USING btree (agency_id, voucher_kind, voucher_id);


--
-- Name: ix_event_unhandled; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_event_unhandled ON public.event USING btree (serial) WHERE ((handled_at IS NULL) AND (type = 'payment.paid'::text));


--
-- Name: ix_event_unstamped; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_event_unstamped ON public.event USING btree (serial) WHERE ("position" IS NULL);


--
-- Name: ix_notice_received; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_notice_received ON ONLY public.notice USING btree (provider, account, received_at);


--
-- Name: ix_notice_work_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_notice_work_due ON public.notice_work USING btree (due_at) WHERE (state = 'stored'::text);


--
-- Name: ix_payment_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_payment_created ON public.payment USING btree (agency_id, created_at, id);


--
-- Name: ix_payment_dossier; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_payment_dossier ON public.payment USING btree (agency_id, dossier_id);


--
-- Name: ix_payment_expiry; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_payment_expiry ON public.payment USING btree (expires_at) WHERE (state = 'open'::text);


--
-- Name: ix_receipt_undrawn; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_receipt_undrawn ON public.receipt USING btree (id) WHERE ((xml IS NOT NULL) AND (pdf IS NULL));


--
-- Name: ix_receipt_unsigned; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_receipt_unsigned ON public.receipt USING btree (numbered_at) WHERE (xml IS NULL);


--
-- Name: ix_recon_match_capture; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_recon_match_capture ON public.recon_match USING btree (agency_id, capture_id);


--
-- Name: ix_recon_match_line; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_recon_match_line ON public.recon_match USING btree (agency_id, line_id);


--
-- Name: ix_recon_run_day; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_recon_run_day ON public.recon_run USING btree (agency_id, business_on);


--
-- Name: ix_sign_in_try_recent; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_sign_in_try_recent ON public.sign_in_try USING btree (username, at);


--
-- Name: ix_statement_line_day; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_statement_line_day ON public.statement_line USING btree (agency_id, source, booked_on);


--
-- Name: notice_default_provider_account_received_at_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notice_default_provider_account_received_at_idx ON public.notice_default USING btree (provider, account, received_at);


--
-- Name: uq_payment_owed_once; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX uq_payment_owed_once ON public.payment USING btree (agency_id, dossier_id, procedure, instalment) WHERE (state = 'open'::text);


--
-- Name: audit_default_agency_id_object_id_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.ix_audit_object ATTACH PARTITION public.audit_default_agency_id_object_id_at_idx;


--
-- Name: audit_default_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.pk_audit ATTACH PARTITION public.audit_default_pkey;


--
-- Name: delivery_log_default_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.pk_delivery_log ATTACH PARTITION public.delivery_log_default_pkey;


--
-- Name: notice_default_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.pk_notice ATTACH PARTITION public.notice_default_pkey;


--
-- Name: notice_default_provider_account_received_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.ix_notice_received ATTACH PARTITION public.notice_default_provider_account_received_at_idx;


--
-- Name: allocation allocation_append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER allocation_append_only BEFORE DELETE OR UPDATE ON public.allocation FOR EACH ROW EXECUTE FUNCTION public.refuse_change();


--
-- Name: audit audit_append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_append_only BEFORE DELETE OR UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION public.refuse_change();


--
-- Name: delivery_log delivery_log_append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER delivery_log_append_only BEFORE DELETE OR UPDATE ON public.delivery_log FOR EACH ROW EXECUTE FUNCTION public.refuse_change();


--
-- Name: entry entry_append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER entry_append_only BEFORE DELETE OR UPDATE ON public.entry FOR EACH ROW EXECUTE FUNCTION public.refuse_change();


--
-- Name: entry entry_day_is_open; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER entry_day_is_open BEFORE INSERT ON public.entry FOR EACH ROW EXECUTE FUNCTION public.refuse_closed_day();


--
-- Name: evidence evidence_append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER evidence_append_only BEFORE DELETE OR UPDATE ON public.evidence FOR EACH ROW EXECUTE FUNCTION public.refuse_change();


--
-- Name: allocation fk_allocation_capture; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.allocation
    ADD CONSTRAINT fk_allocation_capture FOREIGN KEY (agency_id, capture_id) REFERENCES public.capture(agency_id, id);


--
-- Name: allocation fk_allocation_payment; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.allocation
    ADD CONSTRAINT fk_allocation_payment FOREIGN KEY (agency_id, payment_id) REFERENCES public.payment(agency_id, id);


--
-- Name: attempt fk_attempt_agency; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT fk_attempt_agency FOREIGN KEY (agency_id) REFERENCES public.agency(id);


--
-- Name: attempt_share fk_attempt_share_attempt; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempt_share
    ADD CONSTRAINT fk_attempt_share_attempt FOREIGN KEY (agency_id, attempt_id) REFERENCES public.attempt(agency_id, id);


--
-- Name: attempt_share fk_attempt_share_payment; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempt_share
    ADD CONSTRAINT fk_attempt_share_payment FOREIGN KEY (agency_id, payment_id) REFERENCES public.payment(agency_id, id);


--
-- Name: branch fk_branch_agency; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.branch
    ADD CONSTRAINT fk_branch_agency FOREIGN KEY (agency_id) REFERENCES public.agency(id);


--
-- Name: break fk_break_agency; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.break
    ADD CONSTRAINT fk_break_agency FOREIGN KEY (agency_id) REFERENCES public.agency(id);


--
-- Name: capture fk_capture_agency; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.capture
    ADD CONSTRAINT fk_capture_agency FOREIGN KEY (agency_id) REFERENCES public.agency(id);


--
-- Name: capture fk_capture_attempt; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.capture
    ADD CONSTRAINT fk_capture_attempt FOREIGN KEY (agency_id, attempt_id) REFERENCES public.attempt(agency_id, id);


--
-- Name: client fk_client_agency; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.client
    ADD CONSTRAINT fk_client_agency FOREIGN KEY (agency_id) REFERENCES public.agency(id);


--
-- Name: client_key fk_client_key_client; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.client_key
    ADD CONSTRAINT fk_client_key_client FOREIGN KEY (agency_id, client_id) REFERENCES public.client(agency_id, id);


--
-- Name: day fk_day_agency; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.day
    ADD CONSTRAINT fk_day_agency FOREIGN KEY (agency_id) REFERENCES public.agency(id);


--
-- Name: delivery fk_delivery_endpoint; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT fk_delivery_endpoint FOREIGN KEY (agency_id, endpoint_id) REFERENCES public.endpoint(agency_id, id);


--
-- Name: delivery fk_delivery_event; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT fk_delivery_event FOREIGN KEY (agency_id, event_id) REFERENCES public.event(agency_id, id);


--
-- Name: endpoint fk_endpoint_client; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.endpoint
    ADD CONSTRAINT fk_endpoint_client FOREIGN KEY (agency_id, client_id) REFERENCES public.client(agency_id, id);


--
-- Name: entry fk_entry_agency; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.entry
    ADD CONSTRAINT fk_entry_agency FOREIGN KEY (agency_id) REFERENCES public.agency(id);


--
-- Name: entry fk_entry_payment; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.entry
    ADD CONSTRAINT fk_entry_payment FOREIGN KEY (agency_id, payment_id) REFERENCES public.payment(agency_id, id);


--
-- Name: event fk_event_payment; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_payment FOREIGN KEY (agency_id, payment_id) REFERENCES public.payment(agency_id, id);


--
-- Name: evidence fk_evidence_capture; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT fk_evidence_capture FOREIGN KEY (agency_id, capture_id) REFERENCES public.capture(agency_id, id);


--
-- Name: fee_line fk_fee_line_payment; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.fee_line
    ADD CONSTRAINT fk_fee_line_payment FOREIGN KEY (agency_id, payment_id) REFERENCES public.payment(agency_id, id);


--
-- Name: idempotency fk_idempotency_client; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT fk_idempotency_client FOREIGN KEY (agency_id, client_id) REFERENCES public.client(agency_id, id);


--
-- Name: payment fk_payment_branch; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT fk_payment_branch FOREIGN KEY (agency_id, branch_id) REFERENCES public.branch(agency_id, id);


--
-- Name: payment fk_payment_client; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT fk_payment_client FOREIGN KEY (agency_id, client_id) REFERENCES public.client(agency_id, id);


--
-- Name: receipt fk_receipt_payment; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT fk_receipt_payment FOREIGN KEY (agency_id, payment_id) REFERENCES public.payment(agency_id, id);


--
-- Name: receipt fk_receipt_series; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT fk_receipt_series FOREIGN KEY (agency_id, form, series) REFERENCES public.series(agency_id, form, series);


--
-- Name: recon_match fk_recon_match_capture; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recon_match
    ADD CONSTRAINT fk_recon_match_capture FOREIGN KEY (agency_id, capture_id) REFERENCES public.capture(agency_id, id);


--
-- Name: recon_match fk_recon_match_recon_run; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recon_match
    ADD CONSTRAINT fk_recon_match_recon_run FOREIGN KEY (agency_id, run_id) REFERENCES public.recon_run(agency_id, id);


--
-- Name: recon_match fk_recon_match_statement_line; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recon_match
    ADD CONSTRAINT fk_recon_match_statement_line FOREIGN KEY (agency_id, line_id) REFERENCES public.statement_line(agency_id, id);


--
-- Name: recon_run fk_recon_run_agency; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recon_run
    ADD CONSTRAINT fk_recon_run_agency FOREIGN KEY (agency_id) REFERENCES public.agency(id);


--
-- Name: series fk_series_branch; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.series
    ADD CONSTRAINT fk_series_branch FOREIGN KEY (agency_id, branch_id) REFERENCES public.branch(agency_id, id);


--
-- Name: signing_key fk_signing_key_agency; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.signing_key
    ADD CONSTRAINT fk_signing_key_agency FOREIGN KEY (agency_id) REFERENCES public.agency(id);


--
-- Name: staff fk_staff_agency; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT fk_staff_agency FOREIGN KEY (agency_id) REFERENCES public.agency(id);


--
-- Name: staff_session fk_staff_session_staff; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT fk_staff_session_staff FOREIGN KEY (agency_id, staff_id) REFERENCES public.staff(agency_id, id);


--
-- Name: statement_file fk_statement_file_agency; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.statement_file
    ADD CONSTRAINT fk_statement_file_agency FOREIGN KEY (agency_id) REFERENCES public.agency(id);


--
-- Name: statement_line fk_statement_line_statement_file; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.statement_line
    ADD CONSTRAINT fk_statement_line_statement_file FOREIGN KEY (agency_id, file_id) REFERENCES public.statement_file(agency_id, id);


--
-- PostgreSQL database dump complete
--


