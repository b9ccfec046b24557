"""Addresses of the API of training, below `/api/v1/`."""

from django.urls import path

from training import api, api_worker, registry_api, rules_api, scoring_api

urlpatterns = [
    path("studies/<slug:slug>/runs/", api.RunsView.as_view(), name="runs"),
    path("runs/claim/", api_worker.ClaimView.as_view(), name="run_claim"),
    path("runs/<int:run_id>/", api.RunView.as_view(), name="run"),
    path("runs/<int:run_id>/cancel/", api.CancelRunView.as_view(), name="run_cancel"),
    path("runs/<int:run_id>/again/", api.RunAgainView.as_view(), name="run_again"),
    path("runs/<int:run_id>/beat/", api_worker.BeatView.as_view(), name="run_beat"),
    path("runs/<int:run_id>/report/", api_worker.ReportView.as_view(), name="run_report"),
    path("runs/<int:run_id>/finish/", api_worker.FinishView.as_view(), name="run_finish"),
    path("runs/<int:run_id>/fail/", api_worker.FailView.as_view(), name="run_fail"),
    path("runs/<int:run_id>/put-back/", api_worker.PutBackView.as_view(), name="run_put_back"),
    path("runs/<int:run_id>/files/<path:path>", api_worker.RunFileView.as_view(), name="run_file"),
    path("studies/<slug:slug>/training-rules/", rules_api.TrainingRulesView.as_view(), name="training_rules"),
    path("training-rules/<int:rule_id>/", rules_api.TrainingRuleView.as_view(), name="training_rule"),
    path("studies/<slug:slug>/models/", registry_api.VersionsView.as_view(), name="models"),
    path("models/<int:version_id>/", registry_api.VersionView.as_view(), name="model"),
    path("models/<int:version_id>/score/", scoring_api.ScoreView.as_view(), name="model_score"),
    path("models/<int:version_id>/scores/", scoring_api.ScoresView.as_view(), name="model_scores"),
    path("runs/<int:run_id>/items/", scoring_api.ItemsView.as_view(), name="run_items"),
    path("models/<int:version_id>/promote/", registry_api.PromoteView.as_view(), name="model_promote"),
    path("models/<int:version_id>/take-back/", registry_api.TakeBackView.as_view(), name="model_take_back"),
    path("models/<int:version_id>/compare-again/", registry_api.CompareAgainView.as_view(), name="model_compare_again"),
    path("models/<int:version_id>/withdraw/", registry_api.WithdrawView.as_view(), name="model_withdraw"),
]
