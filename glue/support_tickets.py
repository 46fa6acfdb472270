# ==================================================================================================
# GENERATED from notebooks/jobs/support_tickets.ipynb by `gluebook export`.
# Do not edit: change the notebook and export it again. CI fails when the two differ.
# ==================================================================================================
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions

from gluebook.notebook.parameters import job_arguments
from gluebook.job.runtime import spark_session

_arguments = job_arguments(
    sys.argv,
    getResolvedOptions,
    dataset="support_tickets",
    ledger_table="",
    lake_bucket="",
    pseudonym_secret="",
    max_batch_mb=4096,
    lease_seconds=600,
)
dataset = _arguments["dataset"]
ledger_table = _arguments["ledger_table"]
lake_bucket = _arguments["lake_bucket"]
pseudonym_secret = _arguments["pseudonym_secret"]
max_batch_mb = _arguments["max_batch_mb"]
lease_seconds = _arguments["lease_seconds"]

_options = getResolvedOptions(sys.argv, ["JOB_NAME"])
_job = Job(GlueContext(spark_session(_options["JOB_NAME"]).sparkContext))
_job.init(_options["JOB_NAME"], _options)

# --- Claim what is pending ------------------------------------------------------------------------

from gluebook.job.run import BatchRun
from gluebook.sources.support_tickets.helpdesk import HELPDESK
from gluebook.sources.support_tickets.servicenow import SERVICENOW
from gluebook.transforms import reading, verbs

run = BatchRun.start(
    dataset=dataset,
    ledger_table=ledger_table,
    lake_bucket=lake_bucket,
    pseudonym_secret=pseudonym_secret,
    max_batch_mb=max_batch_mb,
    lease_seconds=lease_seconds,
)
servicenow_records = run.records(SERVICENOW.name)
helpdesk_records = run.records(HELPDESK.name)

# --- Schema change --------------------------------------------------------------------------------

servicenow_raw = reading.read_csv_columns(servicenow_records, SERVICENOW, run.headers(SERVICENOW.name))
helpdesk_raw = reading.read_csv_columns(helpdesk_records, HELPDESK, run.headers(HELPDESK.name))

# --- Null handling, and a fingerprint -------------------------------------------------------------

servicenow_cleaned = verbs.blank_to_null(servicenow_raw, SERVICENOW)
servicenow_fingerprinted = verbs.fingerprint(servicenow_cleaned, SERVICENOW.layout.columns)

helpdesk_cleaned = verbs.blank_to_null(helpdesk_raw, HELPDESK)
helpdesk_fingerprinted = verbs.fingerprint(helpdesk_cleaned, HELPDESK.layout.columns)

# --- Personal data --------------------------------------------------------------------------------

servicenow_masked = verbs.pseudonymise(servicenow_fingerprinted, SERVICENOW, run.pseudonym_key)
helpdesk_masked = verbs.pseudonymise(helpdesk_fingerprinted, HELPDESK, run.pseudonym_key)

# --- Renaming -------------------------------------------------------------------------------------

servicenow_renamed = verbs.rename_columns(servicenow_masked, SERVICENOW)
helpdesk_renamed = verbs.rename_columns(helpdesk_masked, HELPDESK)

# --- Type normalisation ---------------------------------------------------------------------------

servicenow_typed = verbs.normalise_types(servicenow_renamed, SERVICENOW)
helpdesk_typed = verbs.normalise_types(helpdesk_renamed, HELPDESK)

# --- A step in SQL --------------------------------------------------------------------------------

helpdesk_told = run.spark.sql(
    """
    select *,
           cast(first_response_at is not null as int) + cast(resolved_at is not null as int) as revision,
           coalesce(greatest(first_response_at, resolved_at), cast(dt as timestamp)) as updated_at,
           status not in ('resolved', 'closed') as is_active,
           resolved_at < first_response_at as resolved_before_response,
           case when resolved_at is not null
                then first_response_at is null or resolution is null or status not in ('resolved', 'closed')
           end as orphan_resolution_time
    from {typed}
    """,
    typed=helpdesk_typed,
)

tickets = servicenow_typed.unionByName(helpdesk_told, allowMissingColumns=True)
enriched = run.spark.sql(
    """
    select *,
           case when resolved_at >= opened_at
                then timestampdiff(minute, opened_at, resolved_at) end as minutes_to_resolve
    from {tickets}
    """,
    tickets=tickets,
)

# --- Filtering invalid records --------------------------------------------------------------------

valid, rejects = verbs.split_rejects(run.keep(enriched))

# --- Deduplication --------------------------------------------------------------------------------

kept = verbs.mark_copies(valid, ("source", "ticket_id", "_row_hash"))

# --- Write, count, pass the gate, publish ---------------------------------------------------------

summary = run.finish(kept, rejects)
print(summary)

_job.commit()
